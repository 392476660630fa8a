/** The search under way: what is asked for, and what was found. */

import * as api from "./api.js";
import * as catalogue from "./catalogue.js";
import { prepare } from "./picture.js";
import { thumbnailOf } from "./thumbnails.js";

const BATCH = 100;
const DEEPEST = 500;

/** Hits on one page. */
export const PAGE = 24;

/**
 * `picture` or `alike` (the record of an indexed picture) or `text` is searched for; `boxes` are
 * the subjects that were found, `region` the one that was chosen, [x1, x2, y1, y2].
 */
export const state = {
  picture: null,
  alike: null,
  text: "",
  boxes: [],
  region: null,
  whole: false,
  category: "",
  filter: "",
  least: 0,
  distinct: false,
  found: null,
  hits: [],
  counts: new Map(),
  page: 0,
  busy: false,
  problem: null,
  waited: 0,
};

const listeners = new Set();
let under = null;

/** Call `listener` whenever the state has changed; returns how to stop that. */
export function onchange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Search with a picture that somebody has given. */
export async function searchPicture(blob, name) {
  const picture = await prepare(blob, name);
  begin({ picture });
}

/** Search for pictures that look like an indexed one. */
export async function searchAlike(record) {
  begin({ alike: record });
  const url = await thumbnailOf(catalogue.chosen().name, record);
  if (state.alike === record && url)
    change({ picture: { url, name: record.pic_name, width: 0, height: 0, blob: null } });
}

/** Search by words. */
export function searchText(text) {
  begin({ text });
}

/** Forget the search. */
export function clear() {
  under?.abort();
  change({
    picture: null,
    alike: null,
    text: "",
    boxes: [],
    region: null,
    whole: false,
    found: null,
    hits: [],
    problem: null,
    busy: false,
  });
}

/** Ask the same again with something changed. */
export function refine(changes) {
  Object.assign(state, changes);
  if (asks()) run();
  else change({});
}

/** Show another page; more hits are fetched where needed. */
export async function turnTo(page) {
  const wanted = Math.min((page + 1) * PAGE, reachable());
  if (state.hits.length < wanted) await fetchMore();
  change({ page });
}

/** How many hits can be paged to. */
export const reachable = () => Math.min(state.found?.total ?? 0, DEEPEST);

/** The fields of the request, as the API takes them. */
export function fields(num = BATCH, start = 0) {
  const given = { num, start };
  if (state.category !== "") given.category_id = state.category;
  if (state.filter) given.filter = state.filter;
  if (state.least > 0) given.score_threshold = state.least;
  if (state.distinct) given.distinct_product = true;
  if (state.text) return { ...given, text: state.text };
  if (state.alike)
    return { ...given, product_id: state.alike.product_id, pic_name: state.alike.pic_name };
  if (state.whole) given.crop = false;
  else if (state.region) given.region = state.region.join(",");
  return given;
}

function begin(what) {
  const fresh = {
    picture: null,
    alike: null,
    text: "",
    boxes: [],
    region: null,
    whole: false,
    category: "",
  };
  Object.assign(state, fresh, { found: null, hits: [] }, what);
  run();
}

const asks = () => Boolean(state.picture || state.alike || state.text);

async function run() {
  under?.abort();
  const mine = (under = new AbortController());
  change({ busy: true, problem: null });
  const began = performance.now();
  try {
    const found = await ask(fields(), mine.signal);
    const boxes = state.region || state.whole ? state.boxes : (found.query.regions ?? []);
    const counts = state.category === "" ? count(found.hits) : state.counts;
    change({ found, hits: found.hits, boxes, counts, page: 0, waited: performance.now() - began });
  } catch (problem) {
    if (problem.name === "AbortError") return;
    change({ problem, found: null, hits: [] });
  }
  if (under === mine) change({ busy: false });
}

async function fetchMore() {
  const more = await ask(
    fields(Math.min(BATCH, DEEPEST - state.hits.length), state.hits.length),
    under.signal,
  );
  change({ hits: [...state.hits, ...more.hits] });
}

function ask(given, signal) {
  const blob = state.alike || state.text ? null : state.picture.blob;
  return api.search(catalogue.chosen().name, given, blob, signal);
}

function count(hits) {
  const counts = new Map();
  for (const hit of hits) counts.set(hit.category_id, (counts.get(hit.category_id) ?? 0) + 1);
  return new Map([...counts].sort((one, other) => other[1] - one[1]));
}

function change(changes) {
  Object.assign(state, changes);
  for (const listener of [...listeners]) listener();
}
