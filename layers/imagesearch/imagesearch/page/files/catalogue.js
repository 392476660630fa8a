/** The instances there are, and the one in use. */

import * as api from "./api.js";

const listeners = new Set();
let known = [];
let name = localStorage.getItem("instance") || "";

/** Every instance as the API describes it. */
export const all = () => known;

/** The instance in use, or undefined if there is none. */
export const chosen = () => known.find((instance) => instance.name === name) || known[0];

/** Use another instance. */
export function choose(next) {
  name = next;
  localStorage.setItem("instance", next);
  tell();
}

/** Read the instances anew. */
export async function refresh() {
  known = (await api.instances()).instances;
  tell();
}

/** Call `listener` whenever the list or the choice changes; returns how to stop that. */
export function onchange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell() {
  for (const listener of [...listeners]) listener();
}
