/** The hits that somebody likes or not, as chips above the results. */

import * as catalogue from "./catalogue.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import * as query from "./query.js";
import { thumbnailOf } from "./thumbnails.js";

/** The chips; `update()` brings them up to date. */
export function marks() {
  const list = h("ul", { class: "marks-list" });
  const hint = h("p", { class: "hint" });
  const element = h("div", { class: "marks", role: "group", hidden: true }, list, hint);
  let shown = [];

  function update() {
    const now = query.state.marks;
    element.setAttribute("aria-label", t("marks.label"));
    element.hidden = !now.length;
    hint.textContent = t(query.canMark() ? "marks.hint" : "marks.full");
    if (now === shown) return;
    // Whoever has just removed one, or pressed a button of a card that is drawn anew, stays here.
    const removed = list.contains(document.activeElement)
      ? [...list.children].indexOf(document.activeElement.closest("li"))
      : -1;
    const added = now.length > shown.length && document.activeElement?.closest(".card");
    shown = now;
    list.replaceChildren(...now.map(chip));
    const buttons = list.querySelectorAll("button");
    if (added) buttons[buttons.length - 1].focus();
    else if (removed >= 0) (buttons[Math.min(removed, buttons.length - 1)] ?? words())?.focus();
  }

  return { element, update };
}

const words = () => document.querySelector(".ask input");

function chip({ record, weight }) {
  const liked = weight > 0;
  const given = { name: record.pic_name, product: record.product_id };
  const picture = h("span", { class: "mark-picture" }, icon("picture"));
  thumbnailOf(catalogue.chosen().name, record).then((url) => {
    if (url) picture.replaceChildren(h("img", { src: url, alt: "" }));
  });
  return h(
    "li",
    { class: liked ? "marked liked" : "marked disliked" },
    h("span", { class: "sign", "aria-hidden": "true" }, liked ? "+" : "−"),
    picture,
    h("span", { class: "cut" }, record.product_id),
    h(
      "button",
      {
        type: "button",
        class: "button bare",
        "aria-label": t(liked ? "marks.remove.liked" : "marks.remove.disliked", given),
        onclick: () => query.mark(record, 0),
      },
      icon("close"),
    ),
  );
}
