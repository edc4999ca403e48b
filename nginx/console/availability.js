// The user's do-not-disturb, and how many calls were missed meanwhile (contract 11.1, 11.2).

import { bind, h, setLabel } from "./dom.js";
import { shortTime, text } from "./text.js";

/** The longest that a timer takes, which is 24 days. */
const longestMilliseconds = 2 ** 31 - 1;

/** @param {string} moment */
const waitFor = (moment) =>
  Math.min(longestMilliseconds, Math.max(1000, Date.parse(moment) - Date.now()));

export class Availability {
  #client;
  #fail;
  /**
   * It ends by itself.
   * @type {ReturnType<typeof setTimeout> | undefined}
   */
  #timer;
  #until = h("option", { value: "until", hidden: true });
  #select = h(
    "select",
    { "data-action": "availability", onchange: () => this.#change() },
    h("option", { value: "on", text: "availability.on" }),
    h("option", { value: "off", text: "availability.off" }),
    h("option", { value: "hour", text: "availability.hour" }),
    this.#until,
  );
  element = h(
    "label",
    { class: "availability", hidden: true },
    h("span", { class: "unseen", text: "availability" }),
    this.#select,
  );

  /**
   * @param {import("./chattrix.js").Chattrix} client
   * @param {(error: unknown) => void} fail
   */
  constructor(client, fail) {
    this.#client = client;
    this.#fail = fail;
  }

  get isDisturbable() {
    return this.#select.value === "on";
  }

  async load() {
    try {
      this.#show(await this.#client.availability());
      this.element.hidden = false;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {{ doNotDisturb: boolean, until: string | null }} state */
  #show({ doNotDisturb, until }) {
    this.#until.hidden = !until;
    if (until) bind(this.#until, "", () => text("availability.until", { time: shortTime(until) }));
    this.#select.value = !doNotDisturb ? "on" : until ? "until" : "off";
    this.#select.dataset.state = doNotDisturb ? "off" : "on";
    clearTimeout(this.#timer);
    if (until) this.#timer = setTimeout(() => this.load(), waitFor(until));
  }

  async #change() {
    const { value } = this.#select;
    if (value === "until") return;
    const until = value === "hour" ? new Date(Date.now() + 3_600_000).toISOString() : undefined;
    try {
      this.#show(await this.#client.setAvailability(value !== "on", until));
    } catch (error) {
      this.#fail(error);
      await this.load();
    }
  }
}

/** The number beside the history's name. */
export class Badge {
  #client;
  #missed = 0;
  element = h("span", { class: "badge", hidden: true });

  /** @param {import("./chattrix.js").Chattrix} client */
  constructor(client) {
    this.#client = client;
    client.on("connected", ({ data }) => this.show(data.unseenMissed));
    client.on("history_seen", ({ data }) => this.show(data.missed));
  }

  /** @param {number} missed */
  show(missed) {
    this.#missed = missed;
    this.element.hidden = missed === 0;
    this.element.textContent = missed ? String(missed) : "";
    setLabel(this.element, "missed", { count: missed });
    this.element.setAttribute("role", "img");
  }

  async load() {
    const answer = await this.#client.unseen().catch(() => null);
    if (answer) this.show(answer.missed);
  }

  /** The user has looked at the history. */
  async seen() {
    if (!this.#missed) return;
    this.show(0);
    await this.#client.markSeen().catch(() => {});
  }
}
