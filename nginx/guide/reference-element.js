// Elements of the reference. Texts are always set as text, never parsed as HTML.

/**
 * An element. Attributes that are null or undefined are left out, and so are children that are null.
 * @param {string} name
 * @param {Record<string, string | null | undefined>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

/**
 * A fragment identifier: letters, digits and hyphens.
 * @param {string} text
 */
export const slug = (text) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");

/**
 * A heading that can be linked to.
 * @param {number} level 1-6
 * @param {string} id
 * @param {...(Node | string | null)} children
 */
export const heading = (level, id, ...children) =>
  element(`h${level}`, { id }, ...children, " ", anchor(id));

/** @param {string} id */
const anchor = (id) =>
  element("a", { class: "anchor", href: `#${id}`, "aria-label": "Link to this section" }, "#");

/**
 * A table whose first row is the head. It can be scrolled, by keyboard too.
 * @param {string[]} head
 * @param {(Node | string)[][]} rows
 */
export const table = (head, rows) =>
  element(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": head.join(", ") },
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...head.map((each) => cell("th", each)))),
      element(
        "tbody",
        {},
        ...rows.map((row) => element("tr", {}, ...row.map((each) => cell("td", each)))),
      ),
    ),
  );

/**
 * @param {string} name
 * @param {Node | string} content
 */
const cell = (name, content) =>
  element(name, { scope: name === "th" ? "col" : null }, content || "–");

/**
 * An example, indented.
 * @param {any} value
 */
export const example = (value) =>
  element(
    "pre",
    { tabindex: "0" },
    element("code", {}, typeof value === "string" ? value : JSON.stringify(value, null, 2)),
  );
