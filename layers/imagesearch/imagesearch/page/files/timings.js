/** Where the time of a search went. */

import { h } from "./dom.js";
import { number, t } from "./i18n.js";

const STAGES = ["decode", "subject", "embed", "look", "text", "search"];

/** A bar of stages (ms); `waited` is what it took from here, the network included. */
export function timings(took, waited) {
  const stages = Object.keys(took).filter((stage) => stage !== "total" && took[stage] > 0);
  stages.sort((one, other) => STAGES.indexOf(one) - STAGES.indexOf(other));
  const spent = stages.reduce((sum, stage) => sum + took[stage], 0) || 1;
  const label = (stage) => t(`stage.${stage}`);
  return h(
    "div",
    { class: "timings" },
    h(
      "div",
      { class: "stages", "aria-hidden": "true" },
      stages.map((stage) => {
        const part = h("span", { class: `stage-${stage}` });
        part.style.flexGrow = String(took[stage] / spent);
        return part;
      }),
    ),
    h(
      "ul",
      { class: "legend" },
      stages.map((stage) =>
        h(
          "li",
          {},
          h("span", { class: `dot stage-${stage}` }),
          `${label(stage)} ${milliseconds(took[stage])}`,
        ),
      ),
      h("li", {}, t("stage.total", { ms: milliseconds(took.total ?? spent) })),
      h("li", {}, t("stage.waited", { ms: milliseconds(waited) })),
    ),
  );
}

const milliseconds = (value) => `${number(value, value < 10 ? 1 : 0)} ms`;
