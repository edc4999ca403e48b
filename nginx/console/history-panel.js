// The user's history: filters, pages, deletion, and a call back.

import { bind, h, icon, setLabel, setText } from "./dom.js";
import { dateTime, duration, text } from "./text.js";
import { faultText } from "./faults.js";

const pageSize = 10;
const types = ["all", "audio", "video"];
const statuses = ["all", "completed", "missed", "rejected", "failed"];

let count = 0;

export class HistoryPanel {
  #client;
  #callBack;
  #page = 1;
  #isStale = true;
  #type = this.#filter("type", types);
  #status = this.#filter("status", statuses);
  #list = h("ol", { class: "history", label: "history.list" });
  #message = h("p", { class: "empty", role: "status" });
  #position = h("span", { class: "position" });
  #newer = h("button", {
    type: "button",
    class: "quiet",
    text: "history.newer",
    onclick: () => this.#turn(-1),
  });
  #older = h("button", {
    type: "button",
    class: "quiet",
    text: "history.older",
    onclick: () => this.#turn(1),
  });
  element = h(
    "div",
    { class: "panel" },
    h("div", { class: "filters" }, this.#type.label, this.#status.label),
    this.#message,
    h("div", { class: "scroll", tabindex: 0, role: "group", label: "history.list" }, this.#list),
    h("div", { class: "pages" }, this.#newer, this.#position, this.#older),
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
      { id: `filter-${++count}`, onchange: () => this.#first() },
      ...options,
    );
    const label = h("label", { class: "field" }, h("span", { text: `history.${name}` }), select);
    return { select, label };
  }

  #first() {
    this.#page = 1;
    return this.load();
  }

  /** @param {number} step */
  #turn(step) {
    this.#page += step;
    return this.load();
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
    if (this.#isStale) return this.#first();
  }

  async load() {
    this.#isStale = false;
    try {
      const { calls, pagination } = await this.#client.history({
        page: this.#page,
        limit: pageSize,
        callType: this.#type.select.value,
        status: this.#status.select.value,
      });
      this.#show(calls, pagination);
    } catch (error) {
      this.#isStale = true;
      bind(this.#message, "", () => faultText(error));
      this.#message.hidden = false;
    }
  }

  /**
   * @param {any[]} calls
   * @param {any} pagination
   */
  #show(calls, { page, total, totalPages, hasNextPage, hasPrevPage }) {
    this.#list.replaceChildren(...calls.map((call) => this.#entry(call)));
    this.#message.hidden = calls.length > 0;
    setText(this.#message, "history.empty");
    this.#newer.disabled = !hasPrevPage;
    this.#older.disabled = !hasNextPage;
    bind(this.#position, "", () => {
      const pages = text("history.page", { page, pages: Math.max(1, totalPages) });
      return `${pages} · ${text("history.total", { total })}`;
    });
  }

  /** @param {any} call */
  #entry(call) {
    const name = call.remoteUserName || call.remoteUserId;
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
      { type: "button", class: "round", onclick: () => this.#delete(call) },
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
      bind(this.#message, "", () => faultText(error));
      this.#message.hidden = false;
      return;
    }
    if (this.#list.childElementCount === 1 && this.#page > 1) this.#page--;
    await this.load();
  }
}
