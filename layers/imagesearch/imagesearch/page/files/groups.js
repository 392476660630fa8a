/** What was found for every subject of a picture, one after the other. */

import { card } from "./card.js";
import { nameOf } from "./categories.js";
import * as catalogue from "./catalogue.js";
import { h, s } from "./dom.js";
import { number, t } from "./i18n.js";
import * as query from "./query.js";

/** A section for each subject: what it is, and what looks like it. */
export function groups() {
  return query.state.groups.map((group, index) => {
    const id = `subject-${index + 1}`;
    const given = { number: number(index + 1), category: category(group) };
    return h(
      "section",
      { class: "subject", "aria-labelledby": id },
      h(
        "div",
        { class: "subject-head" },
        crop(group.region),
        h("h3", { id }, t(given.category ? "subject.title" : "subject.bare", given)),
      ),
      group.hits.length
        ? h(
            "ol",
            { class: "grid" },
            group.hits.map((hit, place) => card(hit, place, group.region)),
          )
        : h("p", { class: "hint" }, t("results.none")),
    );
  });
}

const category = (group) =>
  catalogue.chosen()?.service === "product" ? nameOf(group.category_id) : "";

/** The subject cut out of the picture, or nothing where the browser cannot show it. */
function crop([x1, x2, y1, y2]) {
  const { url, width, height } = query.state.picture;
  if (!url) return null;
  const box = `${x1} ${y1} ${x2 - x1} ${y2 - y1}`;
  return s(
    "svg",
    { class: "crop", viewBox: box, "aria-hidden": "true" },
    s("image", { href: url, width, height }),
  );
}
