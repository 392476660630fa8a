/** A failure, in words: what is wrong and what to do. */

import { Problem } from "./api.js";
import { h } from "./dom.js";
import { t, told } from "./i18n.js";

/** A box that tells a problem. */
export function problemBox(problem) {
  const { detail, fix } =
    problem instanceof Problem ? told(problem) : { detail: t("problem.unreachable"), fix: "" };
  return h(
    "div",
    { class: "problem", role: "alert" },
    h("strong", {}, problem.code || t("problem.title")),
    h("pre", {}, detail),
    fix && h("p", {}, fix),
    problem.requestId && h("p", { class: "hint" }, `${t("problem.request")} ${problem.requestId}`),
  );
}
