/** The HTTP API: one function a route, problems as exceptions. */

import { askForKey } from "./key.js";

const TRIES = 5;
const PATIENCE = 15;
const PASSING = new Set([429, 502, 503, 504]);

let apiKey = "";

/** An answer that says what is wrong (RFC 9457). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || body.message || `HTTP ${status}`);
    this.status = status;
    this.code = body.code || String(status);
    this.fix = body.fix || "";
    this.chinese = { detail: body.detail_zh || "", fix: body.fix_zh || "" };
    this.requestId = body.request_id || "";
  }
}

const part = encodeURIComponent;
const of = (instance) => `/v1/instances/${part(instance)}`;

export const instances = () => call("GET", "/v1/instances");
export const createInstance = (name, service) => call("PUT", of(name), { json: { service } });
export const tasks = (instance) =>
  call("GET", `${of(instance)}/increments`, { query: { limit: 50 } });
export const startTask = (instance, json) => call("POST", `${of(instance)}/increments`, { json });
export const checkTask = (instance, json) =>
  call("POST", `${of(instance)}/increments/check`, { json });
export const stopTask = (instance, id) => call("DELETE", `${of(instance)}/increments/${id}`);
export const resumeTask = (instance, id) => call("POST", `${of(instance)}/increments/${id}/resume`);

/** Search by a picture's bytes (`blob`), or by what `fields` name. */
export function search(instance, fields, blob, signal) {
  const given = blob ? { query: fields, blob } : { json: fields };
  return call("POST", `${of(instance)}/search`, { ...given, signal });
}

/** Which parts of a picture's bytes (`blob`) and of the indexed one in `fields` are alike. */
export function explain(instance, fields, blob, signal) {
  return call("POST", `${of(instance)}/explain`, { query: fields, blob, signal });
}

/** Add a picture; a repeat of the same call is harmless. */
export function addPicture(instance, fields, blob) {
  return call("POST", `${of(instance)}/pictures`, { query: fields, blob, once: identity() });
}

/** The small picture that belongs to a record, as a blob. */
export function thumbnail(instance, name) {
  return call("GET", `${of(instance)}/thumbnails/${part(name)}`, { raw: true });
}

async function call(method, path, options = {}) {
  for (let tried = 1; ; tried += 1) {
    const key = apiKey;
    const answer = await fetch(address(path, options.query), request(method, options));
    if (answer.ok) return options.raw ? answer.blob() : answer.json();
    const problem = await answer.json().catch(() => ({}));
    // A key that is good for other instances is not asked for again: what it does there is wanted.
    if (answer.status === 401 || (answer.status === 403 && problem.code !== "NoPermission")) {
      // Somebody may have typed a key while this request was under way.
      const other = key === apiKey ? await askForKey(Boolean(key)) : apiKey;
      if (other) {
        apiKey = other;
        continue;
      }
    }
    const wait = Number(answer.headers.get("retry-after")) || 0;
    if (!PASSING.has(answer.status) || tried >= TRIES || wait > PATIENCE) {
      throw new Problem(answer.status, problem);
    }
    await pause(wait, tried);
  }
}

function address(path, query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return pairs.length ? `${path}?${new URLSearchParams(pairs)}` : path;
}

function request(method, { json, blob, once, signal }) {
  const headers = {};
  if (apiKey) headers["x-api-key"] = apiKey;
  if (once) headers["idempotency-key"] = once;
  if (json) headers["content-type"] = "application/json";
  if (blob) headers["content-type"] = blob.type || "application/octet-stream";
  return { method, headers, body: json ? JSON.stringify(json) : blob, signal };
}

/** A name for one write: crypto.randomUUID() is there only under HTTPS and on localhost. */
function identity() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pause(asked, tried) {
  const drawn = Math.random() * Math.min(8, 0.3 * 2 ** tried);
  return new Promise((done) => setTimeout(done, (asked + drawn) * 1000));
}
