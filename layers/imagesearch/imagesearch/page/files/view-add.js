/** Add pictures: a folder or some files, a few at a time, each with its outcome. */

import { ids, nameOf } from "./categories.js";
import * as catalogue from "./catalogue.js";
import { dropOn } from "./drop.js";
import { field, h, icon, select } from "./dom.js";
import { number, t, told } from "./i18n.js";
import * as upload from "./upload.js";

const SHOWN = 200;

/** Show the view in `root`; returns how to take it away. */
export function mount(root) {
  const overview = h("div", { class: "stack" });
  const list = h("ul", { class: "uploads" });
  const drop = dropZone();
  const element = h(
    "div",
    { class: "page" },
    h("h1", {}, t("add.title", { instance: catalogue.chosen()?.name ?? "–" })),
    h("p", { class: "lead" }, t("add.lead")),
    h(
      "div",
      { class: "split" },
      h("div", { class: "stack" }, drop, options()),
      h("div", { class: "stack" }, overview, list),
    ),
  );
  let drawn = 0;
  const update = () => {
    if (drawn) return;
    drawn = requestAnimationFrame(() => {
      drawn = 0;
      overview.replaceChildren(...progress());
      list.replaceChildren(...lines());
    });
  };
  root.append(element);
  const stop = upload.onchange(update);
  update();
  return stop;
}

function dropZone() {
  const element = h(
    "div",
    { class: "drop-here large panel" },
    icon("add"),
    h("p", {}, t("add.drop")),
    h(
      "div",
      { class: "row centred" },
      picker(true, t("add.folder"), "button strong"),
      picker(false, t("add.files"), "button"),
    ),
    h("p", { class: "hint" }, t("add.kinds")),
  );
  dropOn(element, upload.begin);
  return element;
}

function picker(folder, label, style) {
  const input = h("input", {
    type: "file",
    class: "unseen",
    multiple: true,
    accept: folder ? null : "image/*",
    webkitdirectory: folder,
    onchange: () => {
      upload.begin(
        [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })),
      );
      input.value = "";
    },
  });
  return h("label", { class: style }, input, label);
}

function options() {
  const { wishes } = upload;
  const set = (name) => (event) => {
    wishes[name] = event.target.value;
  };
  const product = select(
    { onchange: set("product") },
    [
      ["folder", t("add.product.folder")],
      ["file", t("add.product.file")],
    ],
    wishes.product,
  );
  const category = select(
    { onchange: set("category") },
    [["", t("add.predicted")], ...ids().map((id) => [String(id), nameOf(id)])],
    wishes.category,
  );
  const standing = select(
    { onchange: set("standing") },
    ["replace", "keep", "fail"].map((way) => [way, t(`add.exists.${way}`)]),
    wishes.standing,
  );
  return h(
    "div",
    { class: "panel stack" },
    h("h2", {}, t("add.options")),
    field(t("add.product"), product),
    catalogue.chosen()?.service === "product" && field(t("refine.category"), category),
    field(
      "str_attr",
      h("input", { value: wishes.str_attr, maxlength: "128", oninput: set("str_attr") }),
      t("add.attribute"),
    ),
    field(
      "int_attr",
      h("input", { value: wishes.int_attr, inputmode: "numeric", oninput: set("int_attr") }),
    ),
    field(t("add.exists"), standing),
  );
}

function progress() {
  const { total, done, failed, running, rate } = upload.tally();
  if (!total)
    return [h("div", { class: "nothing small" }, icon("picture"), h("p", {}, t("add.nothing")))];
  return [
    h(
      "div",
      { class: "row spread" },
      h("h2", {}, t("add.progress", { done: number(done), total: number(total) })),
      h(
        "span",
        { class: "hint" },
        running ? t("add.rate", { rate: number(rate, 1) }) : t("add.done"),
      ),
    ),
    h("progress", {
      max: String(total),
      value: done + failed,
      "aria-label": t("add.progress.label"),
    }),
    h(
      "div",
      { class: "row" },
      failed > 0 && h("span", { class: "bad" }, t("add.failed", { failed: number(failed) })),
      failed > 0 &&
        h(
          "button",
          { type: "button", class: "button small", onclick: upload.again },
          icon("refresh"),
          t("add.again"),
        ),
      running &&
        h(
          "button",
          { type: "button", class: "button small", onclick: upload.cancel },
          t("add.cancel"),
        ),
    ),
  ];
}

function lines() {
  const jobs = upload.all();
  // What went wrong comes first: nobody should have to look for it.
  const shown = [...jobs.filter((job) => job.problem), ...jobs.filter((job) => !job.problem)].slice(
    0,
    SHOWN,
  );
  const rest = jobs.length - shown.length;
  return [
    ...shown.map(line),
    rest > 0 && h("li", { class: "hint" }, t("add.more", { count: number(rest) })),
  ].filter(Boolean);
}

function line(job) {
  const outcome = job.problem ? told(job.problem) : null;
  return h(
    "li",
    { class: `upload ${job.state}` },
    h(
      "span",
      { class: "mark" },
      job.state === "done" ? icon("check") : job.state === "failed" ? icon("close") : null,
    ),
    h("span", { class: "cut", title: job.path }, job.path),
    h(
      "span",
      { class: "hint" },
      job.state === "done"
        ? job.category === null
          ? t("add.state.done")
          : nameOf(job.category)
        : t(`add.state.${job.state}`),
    ),
    outcome && h("p", { class: "bad" }, outcome.detail, " ", outcome.fix),
  );
}
