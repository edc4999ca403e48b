// The Markdown of the descriptions: headings, paragraphs, lists, tables, code and bold. What is none of these
// is shown as it stands.

import { element, heading, slug, table } from "./reference-element.js";

/**
 * @param {string | undefined} text
 * @param {number} [level] Of a heading that is written as `##`.
 * @returns {Node[]}
 */
export function markdown(text, level = 2) {
  return (text ?? "")
    .split(/\n{2,}/)
    .filter((block) => block.trim())
    .flatMap((block) => parts(block.split("\n"), level));
}

/**
 * A list may follow its paragraph without an empty line.
 * @param {string[]} lines
 * @param {number} level
 * @returns {Node[]}
 */
function parts(lines, level) {
  const start = lines.findIndex((line) => line.startsWith("- "));
  if (start > 0)
    return [...parts(lines.slice(0, start), level), ...parts(lines.slice(start), level)];
  if (start === 0) {
    const items = lines.map((line) => element("li", {}, ...inline(line.slice(2))));
    return [element("ul", {}, ...items)];
  }
  if (lines[0].startsWith("## ")) {
    const title = lines[0].slice(3);
    return [heading(level, slug(title), ...inline(title))];
  }
  if (lines[0].startsWith("|")) return [rows(lines)];
  return [element("p", {}, ...inline(lines.join(" ")))];
}

/** @param {string[]} lines */
function rows(lines) {
  const cells = lines.map((line) =>
    line
      .replace(/^\||\|$/g, "")
      .split("|")
      .map((each) => each.trim()),
  );
  const wrap = (/** @type {string} */ text) => element("span", {}, ...inline(text));
  return table(
    cells[0],
    cells.slice(2).map((row) => row.map(wrap)),
  );
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return element("code", {}, part.slice(1, -1));
    if (part.startsWith("**")) return element("strong", {}, part.slice(2, -2));
    return part;
  });
}
