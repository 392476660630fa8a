/** One hit: the picture, how alike it is, and what is known about it. */

import { nameOf } from "./categories.js";
import * as catalogue from "./catalogue.js";
import { h, icon } from "./dom.js";
import { number, percent, score as scoreOf, t } from "./i18n.js";
import * as query from "./query.js";
import { thumbnailOf } from "./thumbnails.js";

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

/** The card of a hit; `place` counts from 0. */
export function card(hit, place) {
  const alike = () => {
    query.searchAlike(hit);
    scrollTo({ top: 0, behavior: "smooth" });
  };
  return h(
    "li",
    { class: "card", data: { place } },
    shot(hit),
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
      attributes(hit),
    ),
    h(
      "button",
      {
        type: "button",
        class: "button small alike",
        onclick: alike,
        "aria-label": t("card.alike.of", { name: hit.pic_name, product: hit.product_id }),
      },
      icon("alike"),
      t("card.alike"),
    ),
  );
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
  const meaning = hit.meaning === undefined ? "–" : number(hit.meaning, 2);
  return h("p", { class: "hint" }, t("card.matched", { words: number(hit.words, 2), meaning }));
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
