// What an operator watches: the metrics of the workers' pool and of the WebSocket server, read once a
// second, as figures and lines. For the host itself only, as the metrics are.

import { lineChart } from "../chart.js";
import { bindChoices } from "../choices.js";
import { adopt, bind, find, h, setLabel, setText } from "../dom.js";
import { onLanguage, text, time } from "../text.js";
import { figures } from "./figures.js";
import { Reading } from "./prometheus.js";

const intervalMilliseconds = 1000;
const sources = ["/metrics", "/signaling/metrics"];

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

/** @param {string} path */
async function read(path) {
  const response = await fetch(path, { cache: "no-store" }).catch(() => null);
  return response?.ok ? response.text() : null;
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
    const texts = await Promise.all(sources.map(read));
    isReading = false;
    const silent = sources.filter((_, index) => texts[index] === null);
    fault.hidden = !silent.length;
    if (silent.length) return setText(fault, "ops.unreachable", { path: silent.join(", ") });
    const now = new Reading(...texts.map(String));
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
