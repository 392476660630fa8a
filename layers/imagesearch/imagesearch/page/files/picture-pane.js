/** Where the picture goes that is searched with, and the subjects found in it. */

import { same, subjectBoxes } from "./boxes.js";
import * as catalogue from "./catalogue.js";
import { dropOn } from "./drop.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import * as query from "./query.js";
import { heat, ofQuery } from "./why.js";

const SAMPLES = ["cube", "camera", "cap", "suitcase", "cake", "sofa"];

/** The pane; `update()` brings it up to date. */
export function picturePane() {
  const element = h("section", { class: "panel picture-pane", "aria-label": t("picture.label") });
  dropOn(element, ([first]) => query.searchPicture(first.file, first.file.name));
  let painted = null;
  let boxes = null;

  function update() {
    const { picture, alike } = query.state;
    const now = picture?.url ?? (alike || picture ? "none" : null);
    if (now !== painted || !element.firstChild) {
      painted = now;
      boxes = null;
      element.replaceChildren(now === null ? empty() : stage());
    }
    draw();
  }

  function stage() {
    const { picture } = query.state;
    const overlay = subjectBoxes((region) => query.refine({ region, whole: false }));
    if (picture?.blob && picture.url) boxes = overlay;
    return h(
      "div",
      {},
      h(
        "div",
        { class: "stage" },
        picture?.url
          ? h(
              "div",
              { class: "canvas" },
              h("img", { src: picture.url, alt: t("picture.yours", { name: picture.name }) }),
              boxes?.element,
            )
          : h("div", { class: "unshown" }, icon("picture"), t("picture.unshown")),
        clearButton(),
      ),
      h("p", { class: "hint under" }, hint(picture)),
      h(
        "div",
        { class: "row" },
        wholeButton(),
        everyButton(),
        foundButton(),
        picker("button small", t("picture.another")),
      ),
    );
  }

  function hint(picture) {
    if (query.state.alike)
      return t("picture.alike", {
        name: query.state.alike.pic_name,
        product: query.state.alike.product_id,
      });
    return picture?.blob && picture.url && crops() ? t("boxes.hint") : "";
  }

  function draw() {
    const { picture, region, whole, every, subject, boxes: subjects } = query.state;
    const chosen = whole || every ? null : region || subject;
    const drawn =
      crops() && !(subjects.length === 1 && wholePicture(subjects[0], picture) && !region);
    boxes?.show({ ...picture, boxes: crops() ? subjects : [], chosen: drawn ? chosen : null });
    element.querySelector("[data-whole]")?.setAttribute("aria-pressed", String(whole));
    const all = element.querySelector("[data-every]");
    if (all) all.hidden = subjects.length < 2;
    all?.setAttribute("aria-pressed", String(every));
    drawHeat(picture);
    const reset = element.querySelector("[data-found]");
    if (reset) reset.hidden = !region || same(region, subjects[0]);
  }

  /** Below the frames, so that these can still be moved. */
  function drawHeat(picture) {
    const reasons = boxes && ofQuery();
    element.querySelector(".heat")?.remove();
    if (reasons) boxes.element.before(heat(reasons, picture.width, picture.height));
  }

  const everyButton = () =>
    boxes &&
    h(
      "button",
      {
        type: "button",
        class: "button small",
        data: { every: "" },
        hidden: true,
        onclick: () =>
          query.refine({
            region: null,
            whole: false,
            text: "",
            marks: [],
            every: !query.state.every,
          }),
      },
      icon("alike"),
      t("picture.every"),
    );
  const wholeButton = () =>
    boxes &&
    crops() &&
    h(
      "button",
      {
        type: "button",
        class: "button small",
        data: { whole: "" },
        onclick: () => query.refine({ whole: !query.state.whole, region: null }),
      },
      icon("whole"),
      t("picture.whole"),
    );
  const foundButton = () =>
    boxes &&
    h(
      "button",
      {
        type: "button",
        class: "button small",
        data: { found: "" },
        hidden: true,
        onclick: () => query.refine({ region: null, whole: false }),
      },
      icon("refresh"),
      t("picture.found"),
    );
  const clearButton = () =>
    h(
      "button",
      {
        type: "button",
        class: "button clear",
        "aria-label": t("picture.clear"),
        onclick: query.clear,
      },
      icon("close"),
    );

  return { element, update };
}

function empty() {
  return h(
    "div",
    { class: "empty-picture" },
    h(
      "div",
      { class: "drop-here" },
      icon("picture"),
      h("p", {}, t("picture.drop")),
      picker("button strong", t("picture.pick")),
    ),
    h("p", { class: "label" }, t("picture.samples")),
    h("div", { class: "samples" }, SAMPLES.map(sample)),
  );
}

function sample(name) {
  const file = `sample-${name}.jpg`;
  const address = new URL(file, import.meta.url);
  const take = async () => query.searchPicture(await (await fetch(address)).blob(), file);
  return h(
    "button",
    {
      type: "button",
      class: "sample",
      onclick: take,
      "aria-label": t("picture.sample", { name: t(`sample.${name}`) }),
    },
    h("img", { src: address.href, alt: "" }),
  );
}

function picker(style, label) {
  const input = h("input", {
    type: "file",
    accept: "image/*",
    class: "unseen",
    onchange: () => input.files[0] && query.searchPicture(input.files[0], input.files[0].name),
  });
  return h("label", { class: style }, input, label);
}

const crops = () => catalogue.chosen()?.service !== "fabric";

const wholePicture = ([x1, x2, y1, y2], picture) =>
  x1 === 0 && y1 === 0 && x2 === picture?.width && y2 === picture?.height;
