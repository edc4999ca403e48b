// The AsyncAPI 3 document as a page: what the server sends, what it receives, schemas.

import { element, example, heading } from "./reference-element.js";
import { inline, markdown } from "./reference-markdown.js";
import { Schemas } from "./reference-schema.js";

/**
 * @param {any} root
 * @returns {Node[]}
 */
export function signalingPage(root) {
  const schemas = new Schemas(root);
  return [
    ...markdown(root.info.description),
    ...Object.entries(root.channels).map(([name, channel]) =>
      element(
        "section",
        {},
        heading(2, `channel-${name}`, "Frames of ", element("code", {}, channel.address)),
        element("p", {}, ...inline(channel.description ?? "")),
        ...frames(schemas, channel, "send", "From the server"),
        ...frames(schemas, channel, "receive", "From the client"),
      ),
    ),
    schemas.section(),
  ];
}

/**
 * @param {Schemas} schemas
 * @param {any} channel
 * @param {"send" | "receive"} action
 * @param {string} title
 * @returns {Node[]}
 */
function frames(schemas, channel, action, title) {
  const operations = Object.values(schemas.root.operations).filter(
    (each) => schemas.resolve(each.channel) === channel,
  );
  const named = operations.flatMap((each) => {
    const replies = action === "send" ? (each.reply?.messages ?? []) : [];
    return [...(each.action === action ? each.messages : []), ...replies];
  });
  const messages = new Set(named.map((each) => schemas.resolve(each)));
  const prefix = channel.address.replaceAll("/", "");
  return [
    element("h3", { id: `${prefix}-${action}` }, title),
    ...[...messages].map((each) => messageView(schemas, each, prefix)),
  ];
}

/**
 * @param {Schemas} schemas
 * @param {any} message
 * @param {string} prefix
 */
function messageView(schemas, message, prefix) {
  const type = message.payload.properties.type.const;
  const data = message.payload.properties.data;
  const members = data ?? message.payload;
  return element(
    "article",
    { class: "operation" },
    heading(4, `${prefix}-${type.replaceAll(".", "-")}`, element("code", {}, type)),
    element("p", {}, element("strong", {}, message.title), ". ", ...inline(message.summary ?? "")),
    ...markdown(message.description, 5),
    data?.$ref ? element("p", {}, "data: ", ...schemas.type(data)) : schemas.alternatives(members),
    ...(message.examples ?? []).map((/** @type {any} */ each) => example(each.payload)),
  );
}
