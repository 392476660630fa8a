/** Small pictures of indexed ones, fetched with the key and a few at a time. */

import * as api from "./api.js";

const AT_ONCE = 6;

const known = new Map();
const waiting = [];
let running = 0;

/** An address that an <img> can show, or null where the record has no thumbnail. */
export function thumbnailOf(instance, record) {
  if (!record.thumbnail) return Promise.resolve(null);
  const key = `${instance}/${record.thumbnail}`;
  if (!known.has(key)) known.set(key, fetched(instance, record.thumbnail));
  return known.get(key);
}

async function fetched(instance, name) {
  if (running >= AT_ONCE) await new Promise((go) => waiting.push(go));
  running += 1;
  try {
    return URL.createObjectURL(await api.thumbnail(instance, name));
  } catch {
    return null;
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}
