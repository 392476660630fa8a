/** Words in the language of the reader. */

import { english } from "./words-en.js";
import { chinese } from "./words-zh.js";

const WORDS = { en: english, zh: chinese };
const CODES = { en: "en", zh: "zh-CN" };
// Dates and numbers as the reader's own country writes them, where it speaks this language.
const LOCALES = { en: own("en"), zh: own("zh") };

let language =
  localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");

function own(language) {
  return navigator.language.startsWith(language) ? navigator.language : CODES[language];
}

/** The language in use: "en" or "zh". */
export const inUse = () => language;

/** Read on in another language. */
export function use(next) {
  language = next;
  localStorage.setItem("language", next);
  mark();
}

/** Tell the browser in which language the document is. */
export function mark() {
  document.documentElement.lang = CODES[language];
}

/** The words under `name`, with `{…}` filled in. */
export function t(name, given = {}) {
  const text = WORDS[language][name] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, key) => given[key] ?? "");
}

/** A number as the reader writes it. */
export const number = (value, digits = 0) =>
  new Intl.NumberFormat(LOCALES[language], { maximumFractionDigits: digits }).format(value);

/** A score with all its digits. */
export const score = (value) =>
  new Intl.NumberFormat(LOCALES[language], {
    minimumFractionDigits: 3,
    maximumFractionDigits: 3,
  }).format(value);

/** A likeness beside others, in hundredths. */
export const hundredths = (value) =>
  new Intl.NumberFormat(LOCALES[language], {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  }).format(value);

/** A share from 0 to 1 in per cent. */
export const percent = (share) =>
  new Intl.NumberFormat(LOCALES[language], {
    style: "percent",
    maximumFractionDigits: share > 0.995 && share < 1 ? 1 : 0,
  }).format(share);

/** How long ago a moment (ms since 1970) was. */
export function ago(moment) {
  const seconds = Math.round((Date.now() - moment) / 1000);
  const style = new Intl.RelativeTimeFormat(LOCALES[language], { numeric: "auto" });
  for (const [unit, length] of [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ]) {
    if (seconds >= length) return style.format(-Math.floor(seconds / length), unit);
  }
  return style.format(-Math.max(0, seconds), "second");
}

/** A moment (ms since 1970, or ISO 8601) by date and clock. */
export const clock = (moment) =>
  new Intl.DateTimeFormat(LOCALES[language], { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(moment),
  );

/** What a problem says, in the reader's language where it does. */
export function told(problem) {
  const own = language === "zh" ? problem.chinese || {} : {};
  return { detail: own.detail || problem.message, fix: own.fix || problem.fix || "" };
}
