/** Subjects drawn over a picture: click one, drag its handles, draw another, or use the keys. */

import { h, later } from "./dom.js";
import { t } from "./i18n.js";

const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LEAST = 12;
const STILL = 4;

/**
 * An overlay for a picture. `show({ width, height, boxes, chosen })` draws; `onchoose` is called
 * with the region [x1, x2, y1, y2], in pixels of the picture, that somebody settled on.
 */
export function subjectBoxes(onchoose) {
  let shown = { width: 1, height: 1, boxes: [], chosen: null };
  let drag = null;
  const soon = later(onchoose, 250);
  const overlay = h("div", { class: "boxes", role: "group" });

  function show(next) {
    shown = next;
    overlay.setAttribute("aria-label", t("boxes.label"));
    if (!drag) draw(shown.chosen);
  }

  function draw(chosen) {
    const focused = overlay.contains(document.activeElement);
    const others = shown.boxes.filter((box) => !same(box, chosen));
    // A small one inside a large one stays within reach.
    const all = (chosen ? [...others, chosen] : others).sort(
      (one, other) => area(other) - area(one),
    );
    overlay.replaceChildren(...all.map((box) => drawn(box, same(box, chosen))));
    if (focused) overlay.querySelector("[aria-pressed=true]")?.focus();
  }

  function drawn(box, isChosen) {
    const [x1, x2, y1, y2] = box;
    const button = h("button", {
      type: "button",
      class: "box",
      "aria-pressed": String(isChosen),
      "aria-label": t(isChosen ? "boxes.chosen" : "boxes.other", { x1, x2, y1, y2 }),
    });
    const share = {
      left: x1 / shown.width,
      top: y1 / shown.height,
      width: (x2 - x1) / shown.width,
      height: (y2 - y1) / shown.height,
    };
    for (const [name, value] of Object.entries(share)) button.style[name] = `${value * 100}%`;
    button.region = box;
    button.addEventListener("click", (event) => event.detail === 0 && !isChosen && onchoose(box));
    if (isChosen)
      button.append(
        ...HANDLES.map((name) => h("span", { class: `handle ${name}`, data: { handle: name } })),
      );
    return button;
  }

  function at(event) {
    const place = overlay.getBoundingClientRect();
    const across = Math.min(1, Math.max(0, (event.clientX - place.left) / place.width));
    const down = Math.min(1, Math.max(0, (event.clientY - place.top) / place.height));
    return [Math.round(across * shown.width), Math.round(down * shown.height)];
  }

  overlay.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const clicked = event.target.closest(".box")?.region ?? null;
    const handle = event.target.dataset.handle;
    const start = at(event);
    const moves = !handle && inside(start, shown.chosen);
    const region = handle || moves ? shown.chosen : [start[0], start[0], start[1], start[1]];
    drag = { moves, handle: handle || "se", start, region, clicked, now: null };
    overlay.setPointerCapture(event.pointerId);
    event.preventDefault();
  });

  overlay.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [x, y] = at(event);
    const by = [x - drag.start[0], y - drag.start[1]];
    if (!drag.now && Math.hypot(...by) < STILL * (shown.width / overlay.clientWidth)) return;
    drag.now = drag.moves
      ? moved(drag.region, by, shown)
      : resized(drag.region, drag.handle, by, shown);
    draw(drag.now);
  });

  overlay.addEventListener("pointerup", () => {
    const done = drag;
    drag = null;
    if (!done) return;
    // Without a drag it was a click: on a frame, or beside them.
    const meant = done.now ?? done.clicked;
    if (meant && largeEnough(meant) && !same(meant, shown.chosen)) onchoose(meant);
    else draw(shown.chosen);
  });

  overlay.addEventListener("pointercancel", () => {
    drag = null;
    draw(shown.chosen);
  });

  overlay.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const box = event.target.closest(".box[aria-pressed=true]");
    if (!step || !box) return;
    event.preventDefault();
    const by = [step[0] * Math.ceil(shown.width / 50), step[1] * Math.ceil(shown.height / 50)];
    const region = event.shiftKey
      ? resized(box.region, "se", by, shown)
      : moved(box.region, by, shown);
    draw(region);
    soon(region);
  });

  return { element: overlay, show };
}

const largeEnough = ([x1, x2, y1, y2]) => x2 - x1 >= LEAST && y2 - y1 >= LEAST;

const inside = ([x, y], region) =>
  region !== null && region[0] <= x && x < region[1] && region[2] <= y && y < region[3];

const area = ([x1, x2, y1, y2]) => (x2 - x1) * (y2 - y1);

/** Tell whether two regions are the same. */
export const same = (one, other) =>
  Boolean(one && other) && one.every((value, index) => value === other[index]);

function moved([x1, x2, y1, y2], [dx, dy], { width, height }) {
  const across = Math.min(Math.max(dx, -x1), width - x2);
  const down = Math.min(Math.max(dy, -y1), height - y2);
  return [x1 + across, x2 + across, y1 + down, y2 + down];
}

function resized([x1, x2, y1, y2], handle, [dx, dy], { width, height }) {
  const left = handle.includes("w") ? x1 + dx : x1;
  const right = handle.includes("e") ? x2 + dx : x2;
  const top = handle.includes("n") ? y1 + dy : y1;
  const bottom = handle.includes("s") ? y2 + dy : y2;
  const across = [left, right].map((x) => Math.min(width, Math.max(0, x))).sort((a, b) => a - b);
  const down = [top, bottom].map((y) => Math.min(height, Math.max(0, y))).sort((a, b) => a - b);
  return [...across, ...down];
}
