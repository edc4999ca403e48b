// The user's history: filters, pages, deletion, and a call back.

import { bind, h, icon, setLabel, setText } from "./dom.js";
import { dateTime, duration, number, text } from "./text.js";
import { faultText } from "./faults.js";

const pageSize = 10;
const types = ["all", "audio", "video"];
const statuses = ["all", "completed", "missed", "rejected", "failed"];

let count = 0;

export class HistoryPanel {
  #client;
  #callBack;
  #page = 1;
  #pages = 1;
  #isStale = true;
  /** Rises with each request: an answer that comes after that to a later one is not shown. */
  #asked = 0;
  #type = this.#filter("type", types);
  #status = this.#filter("status", statuses);
  #list = h("ol", { class: "history", label: "history.list" });
  #message = h("p", { class: "empty", role: "status" });
  #position = h("span", { class: "position", role: "status" });
  #newer = [this.#turner("history.first", "«", () => 1), this.#turner("history.newer", "‹", -1)];
  #older = [
    this.#turner("history.older", "›", 1),
    this.#turner("history.last", "»", () => this.#pages),
  ];
  element = h(
    "div",
    { class: "panel" },
    h("div", { class: "filters" }, this.#type.label, this.#status.label),
    this.#message,
    h("div", { class: "scroll", tabindex: 0, role: "group", label: "history.list" }, this.#list),
    h("div", { class: "pages" }, ...this.#newer, this.#position, ...this.#older),
  );

  /**
   * @param {import("./chattrix.js").Chattrix} client
   * @param {(peer: { id: string, name: string }, callType: any) => void} callBack
   */
  constructor(client, callBack) {
    this.#client = client;
    this.#callBack = callBack;
  }

  /**
   * @param {string} name
   * @param {string[]} values
   */
  #filter(name, values) {
    const options = values.map((value) => h("option", { value, text: `history.${value}` }));
    const select = h(
      "select",
      { id: `filter-${++count}`, onchange: () => this.load(1) },
      ...options,
    );
    const label = h("label", { class: "field" }, h("span", { text: `history.${name}` }), select);
    return { select, label };
  }

  /**
   * @param {string} key
   * @param {string} sign
   * @param {number | (() => number)} to A step, or a page.
   */
  #turner(key, sign, to) {
    const onclick = () => this.load(typeof to === "number" ? this.#page + to : to());
    return h("button", { type: "button", class: "quiet turn", label: key, onclick }, sign);
  }

  /**
   * What is shown may not be all any more: fetched again at once where it is looked at.
   * @param {boolean} isOpen
   */
  touch(isOpen) {
    this.#isStale = true;
    if (isOpen) this.opened();
  }

  opened() {
    if (this.#isStale) return this.load(1);
  }

  /** @param {number} [page] */
  async load(page = this.#page) {
    this.#isStale = false;
    const asked = ++this.#asked;
    const query = {
      page,
      limit: pageSize,
      callType: this.#type.select.value,
      status: this.#status.select.value,
    };
    try {
      const { calls, pagination } = await this.#client.history(query);
      if (asked === this.#asked) this.#show(calls, pagination);
    } catch (error) {
      if (asked === this.#asked) this.#fail(error);
    }
  }

  /**
   * What is shown stays.
   * @param {unknown} error
   */
  #fail(error) {
    this.#isStale = true;
    bind(this.#message, "", () => faultText(error));
    this.#message.hidden = false;
  }

  /**
   * @param {any[]} calls
   * @param {any} pagination
   */
  #show(calls, { page, total, totalPages, hasNextPage, hasPrevPage }) {
    this.#list.replaceChildren(...calls.map((call) => this.#entry(call)));
    this.#message.hidden = calls.length > 0;
    setText(this.#message, "history.empty");
    this.#page = page;
    this.#pages = Math.max(1, totalPages);
    for (const each of this.#newer) each.disabled = !hasPrevPage;
    for (const each of this.#older) each.disabled = !hasNextPage;
    bind(this.#position, "", () => {
      const pages = text("history.page", { page: number(page), pages: number(this.#pages) });
      const key = total === 1 ? "history.total.one" : "history.total";
      return `${pages} · ${text(key, { total: number(total) })}`;
    });
  }

  /** @param {any} call */
  #entry(call) {
    const name = call.remoteUserName?.trim() || call.remoteUserId;
    const when = h("time", { datetime: call.timestamp });
    bind(when, "", () => dateTime(call.timestamp));
    const again = h(
      "button",
      {
        type: "button",
        class: "round",
        onclick: () => this.#callBack({ id: call.remoteUserId, name }, call.callType),
      },
      icon(call.callType === "video" ? "video" : "phone"),
    );
    setLabel(again, "call.contact", { name });
    const remove = h(
      "button",
      {
        type: "button",
        class: "round",
        "data-action": "delete",
        onclick: () => this.#delete(call),
      },
      icon("remove"),
    );
    setLabel(remove, "history.delete", { name });
    const isIncoming = call.direction === "incoming";
    const facts = h(
      "p",
      { class: "facts" },
      h("span", { text: isIncoming ? "history.incoming" : "history.outgoing" }),
      " · ",
      h("span", { class: "outcome", text: `history.${call.status}` }),
      " · ",
      when,
      call.durationSeconds ? ` · ${duration(call.durationSeconds)}` : null,
    );
    return h(
      "li",
      { "data-status": call.status, "data-call": call.callId },
      h("span", { class: "direction" }, icon(isIncoming ? "in" : "out")),
      h("div", { class: "entry" }, h("p", { class: "name" }, name), facts),
      again,
      remove,
    );
  }

  /** @param {any} call */
  async #delete(call) {
    try {
      await this.#client.deleteHistory(call.callId);
    } catch (error) {
      return this.#fail(error);
    }
    const entries = [...this.#list.children];
    const index = entries.findIndex((each) => each.dataset.call === call.callId);
    const isLast = entries.length === 1 && this.#page > 1;
    await this.load(isLast ? this.#page - 1 : this.#page);
    // The focus was on what has gone: it moves to the next entry, or to the list.
    const next = this.#list.children[Math.min(index, this.#list.childElementCount - 1)];
    (next?.querySelector("[data-action=delete]") ?? this.#list.parentElement).focus();
  }
}
