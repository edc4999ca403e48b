// How the network of a call is: a line that moves with each report, the warning about the peer's, and where sound
// and picture are.

import { lineChart } from "./chart.js";
import { bind, h, setLabel, setText } from "./dom.js";
import { number, text } from "./text.js";

/** @typedef {import("./call-session.js").CallSession} CallSession */

const scores = { veryBad: 1, bad: 2, poor: 3, good: 4, excellent: 5 };
const warningMilliseconds = 8000;
/** A minute of them. */
const shownReports = 20;

export class QualityCard {
  #warning = h("p", { class: "warning", role: "status" });
  #media = h("p", { class: "media" });
  #facts = h("p", { class: "quality-facts", text: "quality.waiting" });
  #chart = lineChart({ capacity: shownReports, floor: 1, ceiling: 5, steps: [1, 2, 3, 4, 5] });
  #warnedUntil = 0;
  element = h(
    "div",
    { class: "quality" },
    h("p", { class: "quality-title", text: "quality.title" }),
    this.#warning,
    h(
      "div",
      { class: "scaled" },
      h(
        "div",
        { class: "scale", "aria-hidden": "true" },
        h("span", { text: "quality.excellent" }),
        h("span", { text: "quality.veryBad" }),
      ),
      this.#chart.element,
    ),
    this.#facts,
    this.#media,
  );

  constructor() {
    setLabel(this.#chart.element, "quality.title");
  }

  tick() {
    if (this.#warnedUntil < Date.now()) this.#warning.textContent = "";
  }

  /** @param {CallSession} session */
  showMedia(session) {
    const { media, reason, token } = session;
    setText(this.#media, `media.${media}`, { reason, uid: token?.uid ?? "" });
    this.#media.classList.toggle("fault", media === "failed" || media === "listening");
    this.#facts.hidden = media === "failed";
    if (media === "none" && !this.element.querySelector("select")) this.#offerNetworks(session);
  }

  /**
   * Without Agora's SDK the reader says how the network is.
   * @param {CallSession} session
   */
  #offerNetworks(session) {
    const options = Object.keys(scores)
      .reverse()
      .map((value) =>
        h("option", { value, text: `quality.${value}`, selected: value === session.network }),
      );
    const select = h("select", { "data-action": "network" }, ...options);
    select.addEventListener("change", () => {
      session.network = select.value;
      session.report();
    });
    this.#media.before(
      h("label", { class: "field" }, h("span", { text: "quality.simulate" }), select),
    );
  }

  /** @param {CallSession} session */
  showSample({ sample }) {
    if (!sample) return;
    const { networkQuality, roundTripTime, packetLossRate } = sample;
    const score = scores[/** @type {keyof typeof scores} */ (networkQuality)];
    if (score) this.#chart.push(score);
    const words = () => text(`quality.${networkQuality}`);
    bind(this.#chart.element, "aria-label", () => text("quality.line", { quality: words() }));
    this.#chart.element.dataset.quality = networkQuality;
    bind(this.#facts, "", () => {
      const facts = [
        roundTripTime && text("quality.time", { value: number(roundTripTime) }),
        packetLossRate !== undefined &&
          text("quality.loss", { value: number(packetLossRate * 100, 1) }),
      ];
      return [words(), facts.filter(Boolean).join(", ")].filter(Boolean).join(" · ");
    });
  }

  /**
   * The peer's network.
   * @param {string} name
   * @param {string} networkQuality
   */
  warn(name, networkQuality) {
    this.#warnedUntil = Date.now() + warningMilliseconds;
    bind(this.#warning, "", () =>
      this.#warnedUntil > Date.now()
        ? text("quality.warning", { name, quality: text(`quality.${networkQuality}`) })
        : "",
    );
  }
}
