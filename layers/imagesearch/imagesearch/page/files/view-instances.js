/** The instances: what they hold, how fresh they are, and a form for another one. */

import * as api from "./api.js";
import * as catalogue from "./catalogue.js";
import { field, h, icon, select } from "./dom.js";
import { ago, clock, number, t } from "./i18n.js";
import { problemBox } from "./problem.js";

const SERVICES = ["product", "generic", "fabric", "trademark"];

/** Show the view in `root`; returns how to take it away. */
export function mount(root) {
  const list = h("div", { class: "stack" });
  const update = () => {
    const found = catalogue.all();
    list.replaceChildren(
      ...(found.length
        ? found.map(panel)
        : [
            h(
              "div",
              { class: "nothing small" },
              icon("instances"),
              h("p", {}, t("instances.nothing")),
            ),
          ]),
    );
  };
  root.append(
    h(
      "div",
      { class: "page" },
      h(
        "div",
        { class: "row spread" },
        h("h1", {}, t("instances.title")),
        h(
          "button",
          { type: "button", class: "button small", onclick: () => catalogue.refresh() },
          icon("refresh"),
          t("instances.refresh"),
        ),
      ),
      h("p", { class: "lead" }, t("instances.lead")),
      h("div", { class: "split" }, form(), list),
    ),
  );
  const stop = catalogue.onchange(update);
  update();
  catalogue.refresh().catch((problem) => list.replaceChildren(problemBox(problem)));
  return stop;
}

function panel(instance) {
  const used = catalogue.chosen()?.name === instance.name;
  const written = instance.sequence / 1000;
  return h(
    "article",
    { class: "panel stack", "aria-label": instance.name },
    h(
      "div",
      { class: "row spread" },
      h(
        "h2",
        {},
        instance.name,
        " ",
        h("span", { class: "badge" }, t(`service.${instance.service}`)),
      ),
      h(
        "button",
        {
          type: "button",
          class: "button small",
          "aria-pressed": String(used),
          onclick: () => catalogue.choose(instance.name),
        },
        used ? icon("check") : null,
        t(used ? "instances.used" : "instances.use"),
      ),
    ),
    h(
      "dl",
      { class: "figures" },
      figure(t("instances.pictures"), number(instance.pictures)),
      figure(t("instances.products"), number(instance.products)),
      figure(t("instances.fresh"), instance.pictures && written > 0 ? ago(written) : "–"),
      figure(t("instances.generation"), number(instance.generation)),
      figure(t("instances.log"), number(instance.log_length)),
    ),
    h(
      "p",
      { class: "hint cut" },
      t("instances.about", { model: instance.model, when: clock(instance.created) }),
    ),
  );
}

const figure = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function form() {
  const name = h("input", {
    name: "name",
    required: true,
    maxlength: "20",
    pattern: "[a-z0-9][a-z0-9_\\-]*",
    autocomplete: "off",
    spellcheck: "false",
  });
  const service = select(
    { name: "service" },
    SERVICES.map((one) => [one, t(`service.${one}`)]),
    "product",
  );
  const outcome = h("div", { role: "status" });
  const create = async (event) => {
    event.preventDefault();
    outcome.replaceChildren();
    try {
      const made = await api.createInstance(name.value, service.value);
      await catalogue.refresh();
      catalogue.choose(made.name);
      outcome.replaceChildren(
        h("p", { class: "good" }, icon("check"), t("instances.made", { name: made.name })),
      );
      name.value = "";
    } catch (problem) {
      outcome.replaceChildren(problemBox(problem));
    }
  };
  return h(
    "form",
    { class: "panel stack", onsubmit: create },
    h("h2", {}, t("instances.create")),
    field(t("instances.name"), name, t("instances.name.hint")),
    field(t("instances.service"), service, t("instances.service.hint")),
    h("div", { class: "row" }, h("button", { class: "button strong" }, t("instances.create.it"))),
    outcome,
  );
}
