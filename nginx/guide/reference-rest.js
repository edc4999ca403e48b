// The OpenAPI 3.1 document as a page: operations by tag, webhooks, error codes, schemas.

import { element, example, heading, slug, table } from "./reference-element.js";
import { inline, markdown } from "./reference-markdown.js";
import { Schemas } from "./reference-schema.js";

const methods = ["get", "post", "put", "patch", "delete"];

/**
 * @param {any} root
 * @returns {Node[]}
 */
export function restPage(root) {
  const schemas = new Schemas(root);
  const operations = Object.entries(root.paths).flatMap(([path, item]) =>
    methods
      .filter((method) => item[method])
      .map((method) => ({ method, path: prefixOf(root, item) + path, ...item[method] })),
  );
  return [
    ...markdown(root.info.description),
    ...root.tags.map((/** @type {any} */ tag) =>
      element(
        "section",
        {},
        heading(2, `tag-${slug(tag.name)}`, tag.name),
        element("p", {}, ...inline(tag.description)),
        ...operations
          .filter(({ tags }) => tags.includes(tag.name))
          .map((each) => operationView(schemas, each)),
      ),
    ),
    webhookSection(schemas, root.webhooks ?? {}),
    codeSection(schemas, operations, root),
    schemas.section(),
  ];
}

/**
 * @param {any} root
 * @param {any} item
 */
const prefixOf = (root, item) => (item.servers ?? root.servers)[0].url.replace(/\/$/, "");

/**
 * @param {Schemas} schemas
 * @param {any} operation
 */
function operationView(schemas, operation) {
  const { method, path, summary, description, operationId, parameters = [] } = operation;
  const body = schemas.resolve(operation.requestBody)?.content;
  return element(
    "article",
    { class: "operation" },
    heading(3, `operation-${operationId}`, summary),
    element("p", { class: "route" }, element("code", {}, `${method.toUpperCase()} ${path}`)),
    ...markdown(description, 4),
    parameters.length ? element("h4", {}, "Parameters") : null,
    parameters.length ? parameterTable(schemas, parameters) : null,
    body ? element("h4", {}, "Body") : null,
    ...(body ? contentView(schemas, body) : []),
    element("h4", {}, "Answers"),
    ...Object.entries(operation.responses).map(([status, response]) =>
      responseView(schemas, status, schemas.resolve(response)),
    ),
  );
}

/**
 * @param {Schemas} schemas
 * @param {any[]} parameters
 */
function parameterTable(schemas, parameters) {
  const rows = parameters.map((each) => {
    const { name, in: place, schema = {}, description = "", required } = schemas.resolve(each);
    return [
      element("code", {}, name),
      place,
      element("span", {}, ...schemas.type(schema), required ? ", required" : ""),
      element("span", {}, ...inline(description)),
    ];
  });
  return table(["Name", "In", "Type", "Meaning"], rows);
}

/**
 * @param {Schemas} schemas
 * @param {any} content
 * @returns {Node[]}
 */
function contentView(schemas, content) {
  return Object.values(content).flatMap(({ schema, example: single, examples = {} }) => [
    ...(schema ? [element("p", {}, ...schemas.type(schema))] : []),
    ...(schema && !schema.$ref ? [schemas.alternatives(schema)].flatMap((each) => each ?? []) : []),
    ...(single === undefined ? [] : [example(single)]),
    ...Object.values(examples).map((each) => example(schemas.resolve(each).value)),
  ]);
}

/**
 * @param {Schemas} schemas
 * @param {string} status
 * @param {any} response
 */
function responseView(schemas, status, response) {
  const headers = Object.keys(response.headers ?? {});
  return element(
    "details",
    {},
    element("summary", {}, element("code", {}, status), " ", ...inline(response.description)),
    headers.length ? element("p", {}, `Header fields: ${headers.join(", ")}`) : null,
    ...contentView(schemas, response.content ?? {}),
  );
}

/**
 * @param {Schemas} schemas
 * @param {any} webhooks
 */
function webhookSection(schemas, webhooks) {
  return element(
    "section",
    {},
    heading(2, "webhooks", "Webhooks"),
    ...Object.entries(webhooks).map(([name, { post }]) =>
      element(
        "article",
        { class: "operation" },
        heading(3, `webhook-${slug(name)}`, element("code", {}, name)),
        ...markdown(post.description ?? post.summary, 4),
        ...contentView(schemas, post.requestBody.content),
      ),
    ),
  );
}

/**
 * Each code of the error table, with the statuses and operations that answer with it, by the schemas' constants.
 * @param {Schemas} schemas
 * @param {any[]} operations
 * @param {any} root
 */
function codeSection(schemas, operations, root) {
  /** @type {Map<string, { statuses: Set<string>, where: Set<string> }>} */
  const found = new Map();
  const note = (
    /** @type {any} */ response,
    /** @type {string} */ status,
    /** @type {string} */ where,
  ) => {
    for (const code of codesIn(schemas, response.content ?? {})) {
      const entry = found.get(code) ?? { statuses: new Set(), where: new Set() };
      entry.statuses.add(status);
      if (where) entry.where.add(where);
      found.set(code, entry);
    }
  };
  for (const { responses, operationId } of operations) {
    for (const [status, response] of Object.entries(responses))
      note(schemas.resolve(response), status, operationId);
  }
  // What no operation answers: the WebSocket handshake, and what nginx says of any address.
  for (const part of [root.components.responses, root.components.schemas]) {
    for (const code of codesIn(schemas, { any: { schema: part } })) {
      if (!found.has(code)) found.set(code, { statuses: new Set(["–"]), where: new Set() });
    }
  }
  const rows = [...found]
    .sort()
    .map(([code, { statuses, where }]) => [
      element("code", {}, code),
      [...statuses].sort().join(", "),
      where.size > 8
        ? `${where.size} operations`
        : element("span", {}, ...[...where].flatMap((id) => [operationLink(id), " "])),
    ]);
  return element(
    "section",
    {},
    heading(2, "error-codes", "Error codes"),
    table(["Code", "Status", "Answered by"], rows),
  );
}

/** @param {string} id */
const operationLink = (id) => element("a", { href: `#operation-${id}` }, id);

/**
 * The constants of `error.code` anywhere within a body's schema.
 * @param {Schemas} schemas
 * @param {any} content
 * @returns {Set<string>}
 */
function codesIn(schemas, content) {
  const codes = new Set();
  const seen = new Set();
  const visit = (/** @type {any} */ part) => {
    if (typeof part !== "object" || part === null || seen.has(part)) return;
    seen.add(part);
    if (part.$ref) visit(schemas.resolve(part));
    const code = part.properties?.code;
    for (const value of code?.enum ?? [code?.const]) if (isErrorCode(value)) codes.add(value);
    for (const child of Object.values(part)) visit(child);
  };
  for (const { schema } of Object.values(content)) visit(schema);
  return codes;
}

/** @param {unknown} value */
const isErrorCode = (value) => typeof value === "string" && /^[A-Z][A-Z_]+$/.test(value);
