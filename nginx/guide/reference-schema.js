// JSON Schema (2020-12) as the descriptions use it: members with their types, bounds and meaning.

import { element, heading } from "./reference-element.js";
import { inline } from "./reference-markdown.js";

const wordsOf = [
  ["format", ""],
  ["pattern", "matches "],
  ["minLength", "from this length: "],
  ["maxLength", "up to this length: "],
  ["minimum", "from "],
  ["exclusiveMinimum", "more than "],
  ["maximum", "up to "],
  ["maxItems", "entries, at most: "],
  ["default", "default "],
];

export class Schemas {
  /** @param {any} root The whole document, within which `$ref` points. */
  constructor(root) {
    this.root = root;
  }

  /**
   * What a reference leads to.
   * @param {any} part
   * @returns {any}
   */
  resolve(part) {
    let found = part;
    while (found?.$ref) {
      const names = found.$ref.slice(2).split("/");
      found = names.reduce(
        (/** @type {any} */ within, /** @type {string} */ name) =>
          within[name.replaceAll("~1", "/").replaceAll("~0", "~")],
        this.root,
      );
    }
    return found;
  }

  /**
   * A schema with what its `allOf` adds: members, and which of them are required.
   * @param {any} schema
   * @returns {any}
   */
  merged(schema) {
    const own = this.resolve(schema) ?? {};
    const all = [own, ...(own.allOf ?? []).map((/** @type {any} */ each) => this.merged(each))];
    const result = Object.assign({}, ...all.slice(1), own);
    result.properties = Object.assign({}, ...all.map((each) => each.properties ?? {}));
    result.required = [...new Set(all.flatMap((each) => each.required ?? []))];
    result.description = schema.description ?? own.description ?? result.description;
    return result;
  }

  /**
   * The members of an object, and those of objects within it that have no name of their own.
   * @param {any} schema
   * @returns {Node | null}
   */
  members(schema) {
    const { properties, required } = this.merged(schema);
    const entries = Object.entries(properties);
    if (entries.length === 0) return null;
    return element(
      "ul",
      { class: "members" },
      ...entries.map(([name, member]) =>
        element(
          "li",
          {},
          element("code", { class: "name" }, name),
          " ",
          ...this.type(member),
          required.includes(name) ? element("strong", { class: "required" }, " required") : null,
          ...this.description(member),
          this.#nested(member),
        ),
      ),
    );
  }

  /** @param {any} member */
  #nested(member) {
    const items = member.items ?? member;
    return items.$ref ? null : this.alternatives(items);
  }

  /**
   * The members of a schema, or of each of those that it may be.
   * @param {any} schema
   * @returns {Node | null}
   */
  alternatives(schema) {
    const options = this.resolve(schema)?.oneOf ?? this.resolve(schema)?.anyOf;
    if (!options) return this.members(schema);
    const items = options.map((/** @type {any} */ each) =>
      element("li", {}, ...this.type(each), each.$ref ? null : this.members(each)),
    );
    return element("div", {}, "one of", element("ul", {}, ...items));
  }

  /**
   * @param {any} schema
   * @returns {Node[]}
   */
  description(schema) {
    const text = schema.description ?? this.merged(schema).description;
    return text && !schema.$ref ? [element("span", { class: "about" }, " ", ...inline(text))] : [];
  }

  /**
   * @param {any} schema
   * @returns {(Node | string)[]}
   */
  type(schema) {
    const name = schema.$ref?.match(/^#\/components\/schemas\/(.+)$/)?.[1];
    if (name) return [element("a", { href: `#schema-${name}` }, name)];
    const whole = this.merged(schema);
    if (whole.const !== undefined) return [element("code", {}, JSON.stringify(whole.const))];
    if (whole.enum) return list(whole.enum.map((/** @type {any} */ each) => JSON.stringify(each)));
    if (whole.oneOf ?? whole.anyOf) return ["one of several"];
    if (schema.allOf?.length === 1 && schema.allOf[0].$ref) return this.type(schema.allOf[0]);
    if (whole.items) return ["array of ", ...this.type(whole.items)];
    const types = [whole.type ?? (Object.keys(whole.properties).length ? "object" : "any")].flat();
    return [types.join(" or "), ...bounds(whole)];
  }

  /** All schemas that have a name. */
  section() {
    const named = Object.entries(this.root.components.schemas);
    return element(
      "section",
      {},
      heading(2, "schemas", "Schemas"),
      ...named.map(([name, schema]) =>
        element(
          "article",
          {},
          heading(3, `schema-${name}`, name),
          element("p", {}, ...this.type(schema), ...this.description(/** @type {any} */ (schema))),
          this.alternatives(schema),
        ),
      ),
    );
  }
}

/** @param {string[]} values */
const list = (values) =>
  values.flatMap((each, index) => [index ? " | " : "", element("code", {}, each)]);

/**
 * @param {any} schema
 * @returns {Node[]}
 */
const bounds = (schema) =>
  wordsOf
    .filter(([key]) => schema[key] !== undefined)
    .map(([key, words]) =>
      element("span", { class: "bound" }, `, ${words}`, element("code", {}, String(schema[key]))),
    );
