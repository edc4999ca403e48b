// The activity of a phone: each request with its outcome, each frame of the socket, newest first.

import { bind, h } from "./dom.js";
import { time } from "./text.js";

const limit = 200;
/** Members that grant something to whoever reads them. */
const secrets = new Set(["token", "ticket", "oldToken"]);

/** @param {unknown} value */
const printed = (value) =>
  JSON.stringify(
    value,
    (name, member) =>
      secrets.has(name) && typeof member === "string" ? `${member.slice(0, 10)}…` : member,
    2,
  );

export class LogPanel {
  #list = h("ol", { class: "log", label: "log.label" });
  #empty = h("p", { class: "empty", text: "log.empty" });
  #clear = h("button", {
    type: "button",
    class: "quiet",
    text: "log.clear",
    hidden: true,
    onclick: () => this.clear(),
  });
  element = h(
    "div",
    { class: "panel" },
    this.#empty,
    h("div", { class: "scroll", tabindex: 0, role: "group", label: "log.label" }, this.#list),
    this.#clear,
  );

  /**
   * @param {"sent" | "received" | "replayed" | "state"} kind
   * @param {string} title
   * @param {{ note?: string, isFault?: boolean, content?: unknown }} more
   */
  add(kind, title, { note = "", isFault = false, content } = {}) {
    const at = Date.now();
    const moment = h("time", { datetime: new Date(at).toISOString() });
    bind(moment, "", () => time(at));
    const heading = [
      moment,
      h("span", { class: "way", ...(kind !== "state" && { role: "img", label: `log.${kind}` }) }),
      h("code", {}, title),
      note ? h("span", { class: "note" }, note) : null,
    ];
    const entry =
      content === undefined
        ? h("p", {}, ...heading)
        : h("details", {}, h("summary", {}, ...heading), h("pre", {}, printed(content)));
    this.#list.prepend(h("li", { "data-kind": kind, class: isFault ? "fault" : null }, entry));
    if (this.#list.childElementCount > limit) this.#list.lastElementChild.remove();
    this.#empty.hidden = true;
    this.#clear.hidden = false;
  }

  clear() {
    this.#list.replaceChildren();
    this.#empty.hidden = false;
    this.#clear.hidden = true;
  }
}
