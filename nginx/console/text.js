// Words of the console, and dates and numbers as the language writes them.

import english from "./text-en.js";
import vietnamese from "./text-vi.js";

/** @type {Record<string, Record<string, string>>} */
const dictionaries = { en: english, vi: vietnamese };
/** @type {Set<() => void>} */
const listeners = new Set();

let language = "en";
/** How dates and numbers are written: as the browser has the language, en-GB say. */
let locale = "en";

/** The reader's choice, or the browser's first language that is one of ours. */
export function preferredLanguage() {
  const wanted = [localStorage.getItem("chattrix.language"), ...navigator.languages];
  return wanted.map((tag) => tag?.slice(0, 2) ?? "").find((tag) => tag in dictionaries) ?? "en";
}

/** @param {string} tag `en` or `vi`. */
export function setLanguage(tag) {
  language = tag;
  locale = navigator.languages.find((each) => each.startsWith(tag)) ?? tag;
  document.documentElement.lang = tag;
  for (const listener of listeners) listener();
}

/** @param {() => void} listener */
export function onLanguage(listener) {
  listeners.add(listener);
}

/**
 * The words of a key; `{name}` in them is replaced by a value. A key that is none is the text itself, as a
 * code that a later server may send.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function text(key, values = {}) {
  const words = dictionaries[language][key] ?? english[/** @type {keyof english} */ (key)] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * The first key that has words.
 * @param {...string} keys
 */
export const textOf = (...keys) =>
  text(keys.find((key) => key in english) ?? keys[keys.length - 1]);

/** @param {string | number} moment ISO 8601 or milliseconds. */
export const time = (moment) =>
  new Intl.DateTimeFormat(locale, { timeStyle: "medium" }).format(new Date(moment));

/** @param {string | number} moment */
export const shortTime = (moment) =>
  new Intl.DateTimeFormat(locale, { timeStyle: "short" }).format(new Date(moment));

/** @param {string | number} moment */
export const dateTime = (moment) =>
  new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(moment),
  );

/**
 * @param {number} value
 * @param {number} [digits] Of the fraction, at most.
 */
export const number = (value, digits = 0) =>
  new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);

/**
 * Minutes and seconds, and hours where there are any.
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}
