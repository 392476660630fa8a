/** The search under way: what is asked for, and what was found. */

import * as api from "./api.js";
import * as catalogue from "./catalogue.js";
import { base64, prepare } from "./picture.js";
import { thumbnailOf } from "./thumbnails.js";

const BATCH = 100;
const DEEPEST = 500;
const FOR_EACH = 12;
const MOST_PARTS = 10;

/** What a mark weighs beside the query itself, which weighs 1. */
export const LIKED = 1;
export const DISLIKED = -0.25;

/** Hits on one page. */
export const PAGE = 24;

/**
 * `picture` or `alike` (the record of an indexed picture), `text` and `marks` ({record, weight} of
 * hits that somebody likes or not) are searched for; `boxes` are the subjects that were found,
 * `region` the one that was chosen, [x1, x2, y1, y2], `subject` the one that was searched; `every`
 * asks for all of them, and `groups` is then what was found for each.
 */
export const state = {
  ...nothing(),
  category: "",
  filter: "",
  least: 0,
  distinct: false,
  found: null,
  hits: [],
  groups: null,
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

/** Search by words; beside a picture they say what else is wanted. */
export function searchText(text) {
  if (pictured() || state.marks.length) refine({ text, every: false });
  else begin({ text });
}

/** Take the words away. */
export function forgetText() {
  if (!state.text) return;
  if (pictured() || state.marks.length) refine({ text: "" });
  else clear();
}

/** Like a hit (LIKED), or not (DISLIKED); 0 takes the mark away. */
export function mark(record, weight) {
  const others = state.marks.filter((one) => !sameRecord(one.record, record));
  const marks = weight ? [...others, { record, weight }] : others;
  if (marks.length || pictured() || state.text) refine({ marks, every: false });
  else clear();
}

/** What the mark on a hit weighs, 0 if there is none. */
export const marked = (record) =>
  state.marks.find((one) => sameRecord(one.record, record))?.weight ?? 0;

/** Tell whether one more mark fits into a request. */
export const canMark = () => state.marks.length + pictured() + Boolean(state.text) < MOST_PARTS;

/** Tell whether several things are searched for at once. */
export const combines = () =>
  state.marks.length > 0 || (Boolean(state.text) && Boolean(pictured()));

const pictured = () => Number(Boolean(state.picture || state.alike));

/** Tell whether two records are of the same indexed picture. */
export const sameRecord = (one, other) =>
  one.product_id === other.product_id && one.pic_name === other.pic_name;

/** Forget the search. */
export function clear() {
  under?.abort();
  change({ ...nothing(), found: null, hits: [], groups: null, problem: null, busy: false });
}

/** Ask the same again with something changed. */
export function refine(changes) {
  const one = "region" in changes || "category" in changes;
  Object.assign(state, one ? { every: false } : {}, changes);
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

/** The fields of the request, as the API takes them; `image` is the picture in base64. */
export function fields(num = BATCH, start = 0, image = "") {
  const given = state.every ? { num: FOR_EACH, regions: "all" } : { num, start };
  if (state.category !== "" && !state.every) given.category_id = state.category;
  if (state.filter) given.filter = state.filter;
  if (state.least > 0) given.score_threshold = state.least;
  if (state.distinct) given.distinct_product = true;
  if (state.every) return given;
  if (combines()) return { ...given, query: wanted(image) };
  if (state.text) return { ...given, text: state.text };
  if (state.alike)
    return { ...given, product_id: state.alike.product_id, pic_name: state.alike.pic_name };
  return { ...given, ...cut() };
}

/** What of the picture is searched for, as fields of a request. */
export function cut() {
  if (state.whole) return { crop: false };
  return state.region ? { region: state.region.join(",") } : {};
}

/** The parts of a combined query. */
function wanted(image) {
  const named = ({ product_id, pic_name }) => ({ picture: { product_id, pic_name } });
  const parts = [];
  if (state.alike) parts.push(named(state.alike));
  else if (state.picture) parts.push({ image, ...cut() });
  if (state.text) parts.push({ text: state.text });
  return [...parts, ...state.marks.map(({ record, weight }) => ({ ...named(record), weight }))];
}

function nothing() {
  return {
    picture: null,
    alike: null,
    text: "",
    marks: [],
    boxes: [],
    region: null,
    subject: null,
    whole: false,
    every: false,
  };
}

function begin(what) {
  const fresh = { ...nothing(), category: "", found: null, hits: [], groups: null };
  Object.assign(state, fresh, what);
  run();
}

const asks = () => Boolean(pictured() || state.text || state.marks.length);

async function run() {
  under?.abort();
  const mine = (under = new AbortController());
  change({ busy: true, problem: null });
  const began = performance.now();
  try {
    const found = await ask(BATCH, 0, mine.signal);
    if (under !== mine) return;
    change({ found, page: 0, waited: performance.now() - began, ...read(found) });
  } catch (problem) {
    if (problem.name === "AbortError") return;
    change({ problem, found: null, hits: [] });
  }
  if (under === mine) change({ busy: false });
}

/** What an answer changes; only one to a picture alone tells the subjects that are in it. */
function read(found) {
  if (found.regions) return { groups: found.regions, hits: [] };
  const counts = state.category === "" ? count(found.hits) : state.counts;
  const given = { hits: found.hits, groups: null, counts };
  if (combines() || state.text) return given;
  const boxes = state.region || state.whole ? state.boxes : (found.query.regions ?? []);
  return { ...given, boxes, subject: found.query.region ?? null };
}

async function fetchMore() {
  const num = Math.min(BATCH, DEEPEST - state.hits.length);
  const more = await ask(num, state.hits.length, under.signal);
  change({ hits: [...state.hits, ...more.hits] });
}

async function ask(num, start, signal) {
  const blob = state.alike ? null : (state.picture?.blob ?? null);
  const together = combines();
  const image = together && blob ? await base64(blob) : "";
  const sent = together || state.text ? null : blob;
  return api.search(catalogue.chosen().name, fields(num, start, image), sent, signal);
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
