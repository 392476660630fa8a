/** One hit: the picture, how alike it is, and what is known about it. */

import { nameOf } from "./categories.js";
import * as catalogue from "./catalogue.js";
import { h, icon, say } from "./dom.js";
import { hundredths, percent, score as scoreOf, t, told } from "./i18n.js";
import * as query from "./query.js";
import { thumbnailOf } from "./thumbnails.js";
import * as why from "./why.js";

const ATTRIBUTES = [
  "int_attr",
  "int_attr2",
  "int_attr3",
  "int_attr4",
  "str_attr",
  "str_attr2",
  "str_attr3",
  "str_attr4",
  "custom_content",
];

/**
 * The card of a hit; `place` counts from 0, `region` is the subject it was found for, if not the
 * one searched. Its `explain()` shows what is explained of it by now.
 */
export function card(hit, place, region = null) {
  const picture = shot(hit);
  const reason = why.explains() ? whyOf(hit, region, picture) : null;
  const element = h(
    "li",
    { class: "card", data: { place } },
    picture,
    h(
      "div",
      { class: "card-text" },
      h("h3", { title: hit.product_id }, hit.product_id),
      h("p", { class: "hint cut", title: hit.pic_name }, hit.pic_name),
      score(hit),
      h(
        "p",
        { class: "card-facts" },
        h("span", {}, category(hit)),
        hit.hamming === 0 && hit.score === 1 && h("span", { class: "badge" }, t("card.identical")),
      ),
      matched(hit),
      parts(hit),
      attributes(hit),
      reason?.text,
    ),
    h(
      "div",
      { class: "card-acts" },
      act("card.alike", hit, () => searchAlike(hit), { class: "button small alike" }),
      reason?.button,
      markButton("card.like", hit, query.LIKED),
      markButton("card.dislike", hit, query.DISLIKED),
    ),
  );
  element.explain = () => reason?.update();
  reason?.update();
  return element;
}

function searchAlike(hit) {
  query.searchAlike(hit);
  scrollTo({ top: 0, behavior: "smooth" });
}

/** A button that does something with a hit; `name` and `name`.of are what it says. */
function act(name, hit, onclick, props = {}) {
  const label = t(`${name}.of`, { name: hit.pic_name, product: hit.product_id });
  const given = { type: "button", class: "button small", "aria-label": label, onclick, ...props };
  return h("button", given, t(name));
}

function markButton(name, hit, weight) {
  const marked = query.marked(hit);
  const pressed = marked === weight;
  const props = { "aria-pressed": String(pressed), disabled: !marked && !query.canMark() };
  return act(name, hit, () => query.mark(hit, pressed ? 0 : weight), props);
}

/** The button that explains a hit, the words that do, and the cells over its picture. */
function whyOf(hit, region, picture) {
  const text = h("p", { class: "why", hidden: true });
  const button = act("card.why", hit, () => why.toggle(hit, region));
  let spoken = why.of(hit);
  picture.addEventListener("shown", update);

  function update() {
    const asked = why.of(hit);
    button.setAttribute("aria-pressed", String(Boolean(asked)));
    button.setAttribute("aria-busy", String(Boolean(asked?.busy)));
    text.hidden = !asked;
    text.textContent = asked ? reasonText(asked) : "";
    if (asked && !asked.busy && asked !== spoken) {
      say(text.textContent);
      spoken = asked;
    }
    overlay(picture, asked?.answer?.result ?? null);
  }

  return { button, text, update };
}

function reasonText({ busy, answer, problem }) {
  if (busy) return t("why.busy");
  return problem ? told(problem).detail : why.described(answer);
}

/** Lay the cells over a card's picture, once that is there; the picture keeps its shape in it. */
function overlay(picture, reasons) {
  picture.querySelector(".heat")?.remove();
  const image = picture.querySelector("img");
  if (!reasons || !image?.naturalWidth) return;
  picture.append(why.heat(reasons, image.naturalWidth, image.naturalHeight));
}

function shot(hit) {
  const place = h("div", { class: "shot" }, icon("picture"));
  thumbnailOf(catalogue.chosen().name, hit).then((url) => {
    place.dataset.ready = "";
    if (url)
      place.replaceChildren(
        h("img", {
          src: url,
          alt: t("card.picture", { name: hit.pic_name, product: hit.product_id }),
          onload: () => place.dispatchEvent(new Event("shown")),
        }),
      );
  });
  return place;
}

function score(hit) {
  const bar = h("span", { class: "bar" });
  bar.style.inlineSize = `${hit.score * 100}%`;
  const chance = hit.probability;
  return h(
    "div",
    { class: "score" },
    h("span", { class: "track", "aria-hidden": "true" }, bar),
    h(
      "span",
      { class: "score-value" },
      h("span", { class: "unseen" }, t("card.score"), " "),
      scoreOf(hit.score),
    ),
    chance !== undefined &&
      chance !== null &&
      h("span", { class: chance >= 0.5 ? "chance high" : "chance" }, likely(chance)),
  );
}

const likely = (chance) =>
  chance < 0.01 ? t("card.unlikely") : t("card.chance", { chance: percent(chance) });

const category = (hit) =>
  catalogue.chosen()?.service === "product" ? nameOf(hit.category_id) : "";

/** Of a search by words: how well the words fit, and how well what the picture shows. */
function matched(hit) {
  if (hit.words === undefined) return null;
  const meaning = hit.meaning === undefined ? "–" : hundredths(hit.meaning);
  return h("p", { class: "hint" }, t("card.matched", { words: hundredths(hit.words), meaning }));
}

/** Of a combined search: how like each part of it the hit is. */
function parts(hit) {
  if (hit.parts === undefined) return null;
  const each = hit.parts.map((part) => (part === null ? "–" : hundredths(part))).join(" · ");
  return h("p", { class: "hint" }, t("card.parts", { parts: each }));
}

function attributes(hit) {
  const given = ATTRIBUTES.filter((name) => hit[name] !== undefined);
  if (!given.length) return null;
  return h(
    "dl",
    { class: "attributes" },
    given.map((name) =>
      h("div", {}, h("dt", {}, name), h("dd", { title: String(hit[name]) }, String(hit[name]))),
    ),
  );
}
