/** What was found: how many, in which categories, how fast, and the pictures themselves. */

import { card } from "./card.js";
import { nameOf } from "./categories.js";
import * as catalogue from "./catalogue.js";
import { h, icon, say } from "./dom.js";
import { ago, number, t } from "./i18n.js";
import { groups } from "./groups.js";
import { marks } from "./marks.js";
import { problemBox } from "./problem.js";
import * as query from "./query.js";
import { showSnippets } from "./snippets.js";
import { timings } from "./timings.js";

/** The pane; `update()` brings it up to date. */
export function results() {
  const body = h("div", { class: "found" });
  const words = ask();
  const chips = marks();
  const element = h(
    "section",
    { class: "results", "aria-label": t("results.label") },
    words.element,
    chips.element,
    body,
  );
  let told = null;

  function update() {
    const { found, problem, busy } = query.state;
    element.dataset.busy = String(busy);
    element.setAttribute("aria-busy", String(busy));
    words.update();
    chips.update();
    body.replaceChildren(...parts().filter(Boolean));
    if (found && found !== told) say(saidOf(found));
    if (problem && problem !== told) say(problem.message);
    told = problem || found;
  }

  function explain() {
    for (const one of body.querySelectorAll(".card")) one.explain?.();
  }

  return { element, update, explain };
}

const saidOf = (found) =>
  found.regions
    ? t("results.subjects", { count: number(found.regions.length) })
    : t("results.said", { count: number(found.total) });

/** The line in which somebody describes what to look for. */
function ask() {
  const input = h("input", {
    type: "search",
    name: "words",
    maxlength: "512",
    autocomplete: "off",
    "aria-label": t("text.label"),
    placeholder: t("text.placeholder"),
  });
  input.addEventListener("input", () => input.value === "" && query.forgetText());
  const submit = (event) => {
    event.preventDefault();
    if (input.value.trim()) query.searchText(input.value.trim());
  };
  const element = h(
    "form",
    { class: "ask", role: "search", onsubmit: submit },
    input,
    h("button", { class: "button strong" }, icon("search"), t("text.go")),
  );
  return {
    element,
    update: () => {
      if (document.activeElement !== input) input.value = query.state.text;
    },
  };
}

function parts() {
  const { found, problem, busy } = query.state;
  if (problem) return [problemBox(problem)];
  if (!found) return [busy ? waiting() : nothingYet()];
  if (query.state.groups) return [summary(), ...groups()];
  if (!found.total) return [summary(), facets(), h("p", { class: "quiet" }, t("results.none"))];
  return [summary(), facets(), grid(), pager()];
}

function summary() {
  const { found, waited } = query.state;
  return h(
    "div",
    { class: "summary" },
    h(
      "div",
      { class: "headline" },
      h("h2", {}, headline(found)),
      h(
        "p",
        { class: "hint" },
        understood(found),
        " · ",
        t("results.index", {
          generation: number(found.index.generation),
          when: ago(found.index.sequence / 1000),
        }),
      ),
    ),
    h(
      "button",
      { type: "button", class: "button small", onclick: showSnippets },
      icon("code"),
      t("snippets.open"),
    ),
    timings(found.took_ms, waited),
  );
}

function headline(found) {
  if (found.regions) return saidOf(found);
  const kind = query.state.distinct ? "results.product" : "results.picture";
  return t(found.total === 1 ? kind : `${kind}s`, { count: number(found.total) });
}

function understood(found) {
  if (catalogue.chosen()?.service !== "product" || !found.query || query.state.text)
    return t("results.instance", { name: catalogue.chosen()?.name });
  return t(query.state.category === "" ? "results.seen" : "results.within", {
    category: nameOf(found.query.category_id),
  });
}

function facets() {
  const { counts, category, found } = query.state;
  if (catalogue.chosen()?.service !== "product" || !counts.size) return null;
  const chip = (id, label, count) =>
    h(
      "button",
      {
        type: "button",
        class: "chip",
        "aria-pressed": String(category === id),
        onclick: () => query.refine({ category: id }),
      },
      label,
      count !== null && h("span", { class: "count" }, number(count)),
    );
  return h(
    "div",
    { class: "facets", role: "group", "aria-label": t("facets.label") },
    chip("", t("refine.every"), null),
    [...counts].map(([id, count]) => chip(id, nameOf(id), count)),
    found.total > 100 && h("span", { class: "hint" }, t("facets.among")),
  );
}

function grid() {
  const { hits, page } = query.state;
  const shown = hits.slice(page * query.PAGE, (page + 1) * query.PAGE);
  return h(
    "ol",
    { class: "grid" },
    shown.map((hit, index) => card(hit, page * query.PAGE + index)),
  );
}

function pager() {
  const { page, found } = query.state;
  const reachable = query.reachable();
  if (reachable <= query.PAGE) return null;
  const from = page * query.PAGE + 1;
  const to = Math.min(reachable, from + query.PAGE - 1);
  const turn = (by) => async () => {
    await query.turnTo(page + by);
    scrollTo({ top: 0, behavior: "smooth" });
  };
  return h(
    "nav",
    { class: "pager", "aria-label": t("pager.label") },
    h(
      "button",
      {
        type: "button",
        class: "button",
        disabled: page === 0,
        "aria-label": t("pager.before"),
        onclick: turn(-1),
      },
      icon("left"),
    ),
    h(
      "span",
      {},
      t("pager.range", { from: number(from), to: number(to), total: number(found.total) }),
    ),
    h(
      "button",
      {
        type: "button",
        class: "button",
        disabled: to >= reachable,
        "aria-label": t("pager.after"),
        onclick: turn(1),
      },
      icon("right"),
    ),
  );
}

const waiting = () =>
  h(
    "ol",
    { class: "grid", "aria-hidden": "true" },
    Array.from({ length: 8 }, () => h("li", { class: "card ghost" })),
  );

function nothingYet() {
  return h(
    "div",
    { class: "nothing" },
    icon("alike"),
    h("h2", {}, t("results.begin")),
    h("p", {}, t("results.begin.how")),
  );
}
