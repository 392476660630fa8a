/** The frame around the views: where to go, which instance, language, light or dark. */

import * as catalogue from "./catalogue.js";
import { h, icon, select } from "./dom.js";
import { inUse, mark, t, use } from "./i18n.js";
import { problemBox } from "./problem.js";
import * as query from "./query.js";
import * as theme from "./theme.js";
import * as add from "./view-add.js";
import * as instances from "./view-instances.js";
import * as search from "./view-search.js";
import * as tasks from "./view-tasks.js";

const VIEWS = { search, add, tasks, instances };

const app = document.getElementById("app");
let leave = null;

const wanted = () => {
  const name = location.hash.replace(/^#\/?/, "");
  return name in VIEWS ? name : "search";
};

function draw() {
  leave?.();
  mark();
  document.title = `${t(`nav.${wanted()}`)} · ${t("title")}`;
  const main = h("main", { id: "main", tabindex: "-1" });
  app.replaceChildren(
    h("a", { class: "skip", href: "#main", onclick: skip }, t("skip")),
    header(),
    main,
  );
  leave = VIEWS[wanted()].mount(main);
}

function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function header() {
  const links = Object.keys(VIEWS).map((name) =>
    h(
      "a",
      { href: `#/${name}`, "aria-current": name === wanted() ? "page" : null },
      icon(name),
      h("span", {}, t(`nav.${name}`)),
    ),
  );
  return h(
    "header",
    { class: "top" },
    h(
      "a",
      { class: "brand", href: "#/search", "aria-label": t("title") },
      icon("mark"),
      h("span", {}, t("title")),
    ),
    h("nav", { class: "views", "aria-label": t("nav.label") }, links),
    h("div", { class: "tools" }, instancePicker(), languageButton(), themeButton()),
  );
}

function instancePicker() {
  const names = catalogue.all().map((instance) => [instance.name, instance.name]);
  if (!names.length) return null;
  const picker = select(
    {
      class: "instance",
      "aria-label": t("instance"),
      onchange: () => catalogue.choose(picker.value),
    },
    names,
    catalogue.chosen()?.name,
  );
  return picker;
}

function languageButton() {
  const [next, label] = inUse() === "zh" ? ["en", "English"] : ["zh", "中文"];
  const turn = () => {
    use(next);
    draw();
    document.querySelector("[data-language]").focus();
  };
  return h(
    "button",
    { type: "button", class: "button bare", lang: next, data: { language: "" }, onclick: turn },
    label,
  );
}

function themeButton() {
  const button = h(
    "button",
    {
      type: "button",
      class: "button bare",
      onclick: () => {
        theme.turn();
        tell();
      },
    },
    icon("theme"),
  );
  const tell = () => button.setAttribute("aria-label", t(`theme.${theme.inUse()}`));
  tell();
  theme.onchange(tell);
  return button;
}

let shown = "";

function instanceChanged() {
  const now = `${catalogue.all().map((instance) => instance.name)} ${catalogue.chosen()?.name}`;
  if (now === shown) return;
  shown = now;
  query.clear();
  // The list of instances brings itself up to date; what was typed beside it stays.
  if (wanted() === "instances" && leave) app.querySelector("header").replaceWith(header());
  else draw();
}

async function begin() {
  theme.apply();
  mark();
  catalogue.onchange(instanceChanged);
  addEventListener("hashchange", () => {
    draw();
    scrollTo(0, 0);
  });
  // A picture dropped beside its place would otherwise replace the page.
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => event.preventDefault());
  try {
    await catalogue.refresh();
    if (!catalogue.all().length) location.hash = "#/instances";
  } catch (problem) {
    draw();
    document.getElementById("main").replaceChildren(problemBox(problem));
  }
}

begin();
