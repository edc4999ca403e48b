// The state of a phone's connection, and how long until it is tried again.

import { h, setText } from "./dom.js";

export class LinkStatus {
  #words = h("span", { role: "status" });
  #seconds = h("span", {});
  #hurry;
  #retryAt = 0;
  #shown = 0;
  element;

  /** @param {() => void} hurry */
  constructor(hurry) {
    const attributes = { type: "button", class: "quiet", text: "state.now", hidden: true };
    this.#hurry = h("button", { ...attributes, onclick: hurry });
    const dot = h("i", { class: "dot" });
    this.element = h("p", { class: "link" }, dot, this.#words, this.#seconds, this.#hurry);
  }

  /** @param {import("./chattrix.js").StateChange} change */
  show({ state, retryAt }) {
    this.#retryAt = retryAt ?? 0;
    this.#hurry.hidden = state !== "waiting";
    setText(this.#words, `state.${state}`);
    this.#shown = 0;
    this.#seconds.textContent = "";
    this.tick();
  }

  /** Outside of what a screen reader is told: it would be told every second. */
  tick() {
    const seconds = this.#retryAt ? Math.max(1, Math.ceil((this.#retryAt - Date.now()) / 1000)) : 0;
    if (seconds === this.#shown) return;
    this.#shown = seconds;
    setText(this.#seconds, "state.seconds", { seconds });
  }
}
