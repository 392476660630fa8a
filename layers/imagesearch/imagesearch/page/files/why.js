/** Why a picture was found: the cells of it and of the query in which they are alike. */

import * as api from "./api.js";
import * as catalogue from "./catalogue.js";
import { s } from "./dom.js";
import { t } from "./i18n.js";
import * as query from "./query.js";

const DENSEST = 0.75;
const WINDOW = 3;

const listeners = new Set();
let asked = null;
let under = null;

/** Call `listener` whenever something else is explained; returns how to stop that. */
export function onchange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Tell whether the service can explain the hits: it needs the picture that was searched with. */
export const explains = () => Boolean(query.state.picture?.blob && !query.state.alike);

/** What is explained of a hit: { busy, answer, problem }, or null. */
export function of(hit) {
  return asked && asked.found === query.state.found && asked.hit === hit ? asked : null;
}

/** What is laid over the picture that was searched with, or null. */
export const ofQuery = () => (asked && of(asked.hit)?.answer?.query) || null;

/** Explain a hit, or no longer; `region` is the subject it was found for, if not the one searched. */
export async function toggle(hit, region = null) {
  under?.abort();
  const before = of(hit);
  asked = null;
  if (before) return tell();
  under = new AbortController();
  const mine = (asked = { hit, found: query.state.found, busy: true, answer: null, problem: null });
  tell();
  const { product_id, pic_name } = hit;
  const cut = region ? { region: region.join(",") } : query.cut();
  const { name } = catalogue.chosen();
  try {
    mine.answer = await api.explain(
      name,
      { product_id, pic_name, ...cut },
      query.state.picture.blob,
      under.signal,
    );
  } catch (problem) {
    mine.problem = problem;
  }
  mine.busy = false;
  if (asked === mine) tell();
}

function tell() {
  for (const listener of [...listeners]) listener();
}

/** Cells over a picture of `width` by `height`: the more of the likeness, the denser. */
export function heat({ region, cells }, width, height) {
  const [x1, x2, y1, y2] = region;
  const most = Math.max(...cells.flat()) || 1;
  const across = (x2 - x1) / cells.length;
  const down = (y2 - y1) / cells.length;
  const squares = cells.flatMap((row, r) =>
    row.map((share, c) =>
      s("rect", {
        x: x1 + c * across,
        y: y1 + r * down,
        width: across,
        height: down,
        "fill-opacity": ((DENSEST * share) / most).toFixed(3),
      }),
    ),
  );
  const frame = s("rect", { class: "frame", x: x1, y: y1, width: x2 - x1, height: y2 - y1 });
  const view = { class: "heat", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" };
  return s("svg", view, ...squares, frame);
}

/** Say where the likeness is, for people who listen and for those who look. */
export function described({ query: sought, result }) {
  const inQuery = sought && place(sought.cells);
  const inResult = result && place(result.cells);
  if (!inQuery) return t("why.nowhere");
  if (!inResult) return t("why.query", { query: t(inQuery) });
  return t("why.both", { query: t(inQuery), result: t(inResult) });
}

/** The name of the place with most of the shares, or null if they are all 0. */
function place(cells) {
  const last = cells.length - WINDOW;
  let best = { sum: 0, row: 0, column: 0 };
  for (let row = 0; row <= last; row += 1) {
    for (let column = 0; column <= last; column += 1) {
      const inside = cells.slice(row, row + WINDOW).flatMap((r) => r.slice(column, column + WINDOW));
      const sum = inside.reduce((total, share) => total + share, 0);
      if (sum > best.sum) best = { sum, row, column };
    }
  }
  const third = (at) => Math.sign(at - last / 2) + 1;
  return best.sum > 0 ? `place.${third(best.row)}${third(best.column)}` : null;
}
