/** Small helpers to build the document: no markup is ever made from text. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element. `props` are attributes, except `on…` (listeners), `data` (data-…), and the
 * properties `value`, `checked`, `disabled`, `selected`, `hidden`, `open`. Children that are
 * null or false are left out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(element, name, value);
  element.append(
    ...children.flat(3).filter((child) => child !== null && child !== false && child !== undefined),
  );
  return element;
}

const PROPERTIES = new Set([
  "value",
  "checked",
  "disabled",
  "selected",
  "hidden",
  "open",
  "multiple",
]);

function set(element, name, value) {
  if (value === null || value === undefined) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "data") Object.assign(element.dataset, value);
  else if (PROPERTIES.has(name)) element[name] = value;
  else if (value === true) element.setAttribute(name, "");
  else if (value !== false) element.setAttribute(name, value);
}

/** Make an element of SVG. `props` are attributes: the policy allows no styles in them. */
export function s(tag, props = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** An icon of the sprite in index.html; decoration only. */
export function icon(name) {
  return s("svg", { class: "icon", "aria-hidden": "true" }, s("use", { href: `#i-${name}` }));
}

/** Say something to people who listen rather than look. */
export function say(text) {
  document.getElementById("said").textContent = text;
}

/** A select whose options are `[value, label]` pairs. */
export function select(props, pairs, chosen) {
  const options = pairs.map(([value, label]) =>
    h("option", { value, selected: value === chosen }, label),
  );
  return h("select", props, options);
}

let fields = 0;

/** A control with its label in front, and perhaps a hint behind. */
export function field(label, control, hint = null) {
  const labelled = h("label", { class: "field" }, h("span", { class: "label" }, label), control);
  if (!hint) return labelled;
  const id = `hint-${(fields += 1)}`;
  control.setAttribute("aria-describedby", id);
  return h("div", { class: "field" }, labelled, h("span", { class: "hint", id }, hint));
}

/** Call `work` once nothing has called the returned function for `milliseconds`. */
export function later(work, milliseconds) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), milliseconds);
  };
}
