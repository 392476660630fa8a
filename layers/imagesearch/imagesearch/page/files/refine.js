/** What narrows a search: category, filter, least score, one hit a product. */

import { ids, nameOf } from "./categories.js";
import * as catalogue from "./catalogue.js";
import { field, h, later, select } from "./dom.js";
import { filterBuilder } from "./filter.js";
import { number, t } from "./i18n.js";
import * as query from "./query.js";

/** The pane; `update()` brings it up to date. */
export function refinePane() {
  const categories = select(
    {
      onchange: (event) =>
        query.refine({ category: event.target.value === "" ? "" : Number(event.target.value) }),
    },
    [["", t("refine.every")], ...ids().map((id) => [String(id), nameOf(id)])],
    String(query.state.category),
  );
  const category = field(t("refine.category"), categories);
  const shown = h("output", {}, number(query.state.least, 2));
  const soon = later((least) => query.refine({ least }), 250);
  const least = h("input", {
    type: "range",
    min: "0",
    max: "1",
    step: "0.01",
    value: String(query.state.least),
    oninput: () => {
      shown.textContent = number(Number(least.value), 2);
      soon(Number(least.value));
    },
  });
  const distinct = h("input", {
    type: "checkbox",
    role: "switch",
    checked: query.state.distinct,
    onchange: () => query.refine({ distinct: distinct.checked }),
  });
  const element = h(
    "details",
    { class: "panel refine", open: matchMedia("(min-width: 60rem)").matches },
    h("summary", {}, t("refine.title")),
    h(
      "div",
      { class: "stack" },
      h("label", { class: "switch" }, distinct, h("span", {}, t("refine.distinct"))),
      category,
      h(
        "label",
        { class: "field" },
        h("span", { class: "label" }, t("refine.least"), " ", shown),
        least,
      ),
      h(
        "div",
        { class: "field" },
        h("span", { class: "label" }, t("refine.filter")),
        filterBuilder(
          query.state.filter,
          (filter) => filter !== query.state.filter && query.refine({ filter }),
        ),
      ),
    ),
  );

  function update() {
    category.hidden = catalogue.chosen()?.service !== "product";
    categories.value = String(query.state.category);
  }

  return { element, update };
}
