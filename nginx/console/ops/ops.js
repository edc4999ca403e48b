// What an operator watches: the metrics of this host's programs, read once a second, as figures and lines.
// For the host itself only, as the metrics are.

import { lineChart } from "../chart.js";
import { bindChoices } from "../choices.js";
import { adopt, bind, find, h, setLabel, setText } from "../dom.js";
import { onLanguage, text, time } from "../text.js";
import { figures } from "./figures.js";
import { Reading } from "./prometheus.js";

const intervalMilliseconds = 1000;
const source = "/metrics";

class Card {
  #figure;
  #value = h("p", { class: "value" }, "–");
  #note = h("p", { class: "note" });
  #chart;
  element;

  /** @param {import("./figures.js").Figure} figure */
  constructor(figure) {
    this.#figure = figure;
    this.#chart = lineChart({ height: 72, capacity: 60, least: figure.least, steps: [0] });
    setLabel(this.#chart.element, figure.key);
    const name = h("h2", { text: figure.key });
    const content = [name, this.#value, this.#note, this.#chart.element];
    const attributes = { class: "card", "data-figure": figure.key, hidden: figure.isOptional };
    this.element = h("section", attributes, ...content);
  }

  /**
   * @param {Reading} now
   * @param {Reading} before
   */
  show(now, before) {
    const { key, measure, words, note, isBad } = this.#figure;
    const value = measure(now, before);
    if (value === undefined) {
      if (this.#chart.length) this.#chart.push(null);
      return;
    }
    this.element.hidden = false;
    this.#chart.push(value);
    bind(this.#value, "", () => words(value));
    bind(this.#note, "", () => note?.(now, before) ?? "");
    const named = () => text("ops.chart", { name: text(key), value: words(value) });
    bind(this.#chart.element, "aria-label", named);
    this.element.classList.toggle("bad", isBad?.(value, now) ?? false);
  }
}

/** @returns {Promise<Reading | null>} null without an answer. */
async function read() {
  const response = await fetch(source, { cache: "no-store" }).catch(() => null);
  const page = response?.ok ? await response.text().catch(() => null) : null;
  return page === null ? null : new Reading(page);
}

/** @param {Reading} now */
function showStores(now) {
  const stores = ["mysql", "redis"].map((name) => {
    const isUp = now.value(`chattrix_signaling_${name}_up`) === 1;
    const state = h("span", { text: isUp ? "ops.up" : "ops.down" });
    const words = h("b", {}, name === "mysql" ? "MySQL" : "Redis");
    return h("li", { class: isUp ? "up" : "down", "data-store": name }, words, " ", state);
  });
  find(document, "#stores").replaceChildren(...stores);
}

async function start() {
  adopt(document);
  const title = () => {
    document.title = text("ops.title");
  };
  onLanguage(title);
  bindChoices(document);
  const cards = figures.map((figure) => new Card(figure));
  find(document, "#cards").append(...cards.map(({ element }) => element));
  const [fault, updated, pause] = ["#fault", "#updated", "#pause"].map((id) => find(document, id));
  /** @type {Reading | null} */
  let before = null;

  let isReading = false;

  const refresh = async () => {
    // A server that takes longer than a second is not asked twice at once.
    if (pause.checked || document.hidden || isReading) return;
    isReading = true;
    const now = await read();
    isReading = false;
    // Without the WebSocket server's part, sums over all programs would fall and rise again.
    const isWhole = now !== null && now.value("chattrix_signaling_up") !== 0;
    fault.hidden = isWhole;
    if (!now) return setText(fault, "ops.unreachable", { path: source });
    if (!isWhole) return setText(fault, "ops.signalingDown");
    if (before) for (const card of cards) card.show(now, before);
    showStores(now);
    const at = Date.now();
    bind(updated, "", () => text("ops.updated", { time: time(at) }));
    before = now;
  };
  await refresh();
  setInterval(refresh, intervalMilliseconds);
}

start();
