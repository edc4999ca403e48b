// The user's statistics over a period, as figures and charts.

import { barChart, ringChart } from "./chart.js";
import { bind, h } from "./dom.js";
import { dateTime, number, text } from "./text.js";
import { faultText } from "./faults.js";

/** @type {("day" | "week" | "month" | "year")[]} */
const periods = ["day", "week", "month", "year"];
const statuses = ["completed", "missed", "rejected", "failed"];
const types = ["audio", "video"];

let count = 0;

/** @typedef {{ name: string, value: number }} Part */

export class StatisticsPanel {
  #client;
  #isStale = true;
  /** @type {"day" | "week" | "month" | "year"} */
  #period = "month";
  #content = h("div", { class: "statistics" });
  #message = h("p", { class: "empty", role: "status", hidden: true });
  element = h(
    "div",
    { class: "panel" },
    this.#choice(),
    this.#message,
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "group", label: "tab.statistics" },
      this.#content,
    ),
  );

  /** @param {import("./chattrix.js").Chattrix} client */
  constructor(client) {
    this.#client = client;
  }

  #choice() {
    const name = `period-${++count}`;
    const choices = periods.map((period) => {
      const isChosen = period === this.#period;
      const input = h("input", { type: "radio", name, value: period, checked: isChosen });
      input.addEventListener("change", () => {
        this.#period = period;
        this.load();
      });
      return h("label", {}, input, h("span", { text: `statistics.${period}` }));
    });
    const legend = h("legend", { class: "unseen", text: "statistics.period" });
    return h("fieldset", { class: "segments" }, legend, ...choices);
  }

  /** @param {boolean} isOpen */
  touch(isOpen) {
    this.#isStale = true;
    if (isOpen) this.load();
  }

  opened() {
    if (this.#isStale) this.load();
  }

  async load() {
    this.#isStale = false;
    const period = this.#period;
    try {
      const figures = await this.#client.statistics(period);
      // Another period may have been chosen meanwhile.
      if (period !== this.#period) return;
      this.#show(figures);
      this.#message.hidden = true;
    } catch (error) {
      this.#isStale = true;
      bind(this.#message, "", () => faultText(error));
      this.#message.hidden = false;
    }
  }

  /** @param {any} data */
  #show(data) {
    const byStatus = statuses.map((name) => ({ name, value: data.callsByStatus[name] }));
    const byType = types.map((name) => ({ name, value: data.callsByType[name] }));
    const range = h("p", { class: "range" });
    bind(range, "", () =>
      text("statistics.range", { from: dateTime(data.from), to: dateTime(data.to) }),
    );
    this.#content.replaceChildren(
      h(
        "dl",
        { class: "tiles" },
        tile("statistics.calls", data.totalCalls, 0),
        tile("statistics.minutes", data.totalDurationMinutes, 1),
        tile("statistics.average", data.averageCallDurationMinutes, 1),
      ),
      chart("statistics.byStatus", ringChart(byStatus), byStatus),
      chart("statistics.byType", barChart(byType), byType),
      range,
    );
  }
}

/**
 * @param {string} key
 * @param {number} value
 * @param {number} digits
 */
function tile(key, value, digits) {
  const figure = h("dd", { "data-figure": key });
  bind(figure, "", () => number(value, digits));
  return h("div", {}, h("dt", { text: key }), figure);
}

/**
 * A chart, its title, and its figures as a legend.
 * @param {string} key
 * @param {SVGElement} drawing
 * @param {Part[]} parts
 */
function chart(key, drawing, parts) {
  const words = () =>
    parts.map(({ name, value }) => `${text(`history.${name}`)}: ${number(value)}`).join(", ");
  bind(drawing, "aria-label", () => `${text(key)}. ${words()}`);
  const legend = parts.map(({ name, value }) => {
    const figure = h("b", {});
    bind(figure, "", () => number(value));
    return h(
      "li",
      { "data-part": name },
      h("i", { class: `part-${name}` }),
      h("span", { text: `history.${name}` }),
      figure,
    );
  });
  return h(
    "figure",
    {},
    h("figcaption", { text: key }),
    drawing,
    h("ul", { class: "legend" }, ...legend),
  );
}
