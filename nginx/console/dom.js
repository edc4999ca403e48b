// Elements, and their texts in the language of the page: what is set by its key changes with the language.

import { onLanguage, text } from "./text.js";

/** @typedef {string | number | boolean | null | undefined | ((event: any) => void)} Attribute */

/** @type {WeakMap<Element, Map<string, () => string>>} */
const translated = new WeakMap();

/**
 * An element. `text` and `label` are keys of text.js; `on…` are listeners; false and null leave out.
 * @param {string} name
 * @param {Record<string, Attribute>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {any}
 */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/**
 * The same for SVG.
 * @param {string} name
 * @param {Record<string, Attribute>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {any}
 */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/**
 * @param {Element} element
 * @param {Record<string, Attribute>} attributes
 * @param {(Node | string | null)[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "text") setText(element, String(value));
    else if (name === "label") setLabel(element, String(value));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/**
 * Sets what stands in an element, by key.
 * @param {Element} element
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function setText(element, key, values) {
  bind(element, "", () => text(key, values));
}

/**
 * Sets an element's accessible name, by key.
 * @param {Element} element
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function setLabel(element, key, values) {
  bind(element, "aria-label", () => text(key, values));
}

/**
 * Sets what depends on the language in another way: a date, a sum.
 * @param {Element} element
 * @param {string} attribute Empty for what stands in the element.
 * @param {() => string} words
 */
export function bind(element, attribute, words) {
  const bindings = translated.get(element) ?? new Map();
  bindings.set(attribute, words);
  translated.set(element, bindings);
  element.toggleAttribute("data-text", true);
  write(element, attribute, words());
}

/**
 * @param {Element} element
 * @param {string} attribute
 * @param {string} words
 */
function write(element, attribute, words) {
  // Screen readers read a live region again that is written to, so only what differs is.
  if (attribute && element.getAttribute(attribute) !== words)
    element.setAttribute(attribute, words);
  if (!attribute && element.textContent !== words) element.textContent = words;
}

/**
 * Gives the texts of a piece of HTML that carries them as data-key and data-label.
 * @param {ParentNode} root
 */
export function adopt(root) {
  for (const element of root.querySelectorAll("[data-key]")) setText(element, data(element, "key"));
  for (const element of root.querySelectorAll("[data-label]"))
    setLabel(element, data(element, "label"));
}

/**
 * @param {Element} element
 * @param {string} name
 */
const data = (element, name) => element.getAttribute(`data-${name}`) ?? "";

onLanguage(() => {
  for (const element of document.querySelectorAll("[data-text]")) {
    for (const [attribute, words] of translated.get(element) ?? [])
      write(element, attribute, words());
  }
});

/**
 * The one element that a selector finds.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {any}
 */
export function find(root, selector) {
  const element = root.querySelector(selector);
  if (!element) throw new Error(`${selector} is missing`);
  return element;
}

/**
 * The first letter of a name, or a whole symbol where it begins with one.
 * @param {string} name
 */
export function initialOf(name) {
  const { segment } = [...new Intl.Segmenter().segment(name.trim() || "?")][0];
  return segment.toUpperCase();
}

/**
 * Which of the colours for faces a user gets, the same on every phone.
 * @param {string} id
 */
export const toneOf = (id) =>
  String([...id].reduce((sum, each) => sum + each.charCodeAt(0), 0) % 5);

/**
 * Symbols, drawn here: 24 x 24, in the colour of the text.
 * @type {Record<string, string>}
 */
const paths = {
  phone:
    "M6.6 3h3l1.6 4.2-2 1.6a12 12 0 0 0 6 6l1.6-2L21 14.4v3A3.6 3.6 0 0 1 17.4 21 14.4 14.4 0 0 1 3 6.6 3.6 3.6 0 0 1 6.6 3z",
  video:
    "M4 6h10a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2zM16 10.5 22 7v10l-6-3.5",
  down: "M2 13.2C7.5 7.6 16.5 7.6 22 13.2L19.3 16.4 15.4 14.6 14.9 11.6A14 14 0 0 0 9.1 11.6L8.6 14.6 4.7 16.4z",
  out: "M7 17 17 7M9 7h8v8",
  in: "M17 7 7 17M15 17H7V9",
  remove: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  warning: "M12 4 2.5 20h19zM12 10v5M12 17.5v.5",
};

/** @param {string} name */
export const icon = (name) =>
  svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" },
    svg("path", { d: paths[name] }),
  );
