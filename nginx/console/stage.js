// The screen of a phone: who is called or calls, what can be done about it, and how the network is. A new
// phase of the call makes it anew; within a phase only what changes is written.

import { lineChart } from "./chart.js";
import { bind, find, h, icon, setLabel, setText, toneOf } from "./dom.js";
import { duration, number, text } from "./text.js";
import { faultText } from "./faults.js";
import { isOver } from "./call-model.js";

/** @typedef {import("./call-model.js").Call} Call */
/** @typedef {import("./call-session.js").CallSession} CallSession */
/** @typedef {{ id: string, name: string }} Peer */

/**
 * @typedef {object} Actions
 * @property {(peer: Peer, callType: "audio" | "video") => void} call
 * @property {() => void} accept
 * @property {(reason: "declined" | "busy") => void} reject
 * @property {() => void} end
 * @property {() => void} retry Gets a token and joins again.
 * @property {() => void} takeOver Goes on here with a call that another device is in.
 */

const scores = { veryBad: 1, bad: 2, poor: 3, good: 4, excellent: 5 };
const warningMilliseconds = 8000;

/**
 * How an ended call is put into words.
 * @param {Call} call
 */
function outcome(call) {
  const values = {
    name: call.peerName ?? call.peerId ?? "",
    duration: duration(call.durationSeconds ?? 0),
  };
  const way = call.isOutgoing ? "out" : "in";
  const reason = call.endReason === "hangup" ? "ended" : call.endReason;
  for (const key of [`outcome.${reason}`, `outcome.${reason}.${way}`]) {
    const words = text(key, values);
    if (words !== key) return words;
  }
  return text("outcome.over");
}

/**
 * @param {Call | null} call
 * @param {Peer | null} pending
 * @param {boolean} isElsewhere
 * @returns {string}
 */
function phaseOf(call, pending, isElsewhere) {
  if (!call || isOver(call)) return pending ? "calling" : "idle";
  if (isElsewhere) return "elsewhere";
  if (call.status === "initiating" || call.status === "ringing")
    return call.isOutgoing ? call.status : "incoming";
  return call.status;
}

export class Stage {
  #actions;
  #avatar = h("span", { class: "avatar", "aria-hidden": "true" });
  #headline = h("p", { class: "headline", role: "status" });
  #subline = h("p", { class: "subline" });
  #body = h("div", { class: "stage-body" });
  #notice = h("p", { class: "notice", role: "alert", hidden: true });
  #warning = h("p", { class: "warning", role: "status" });
  #media = h("p", { class: "media" });
  #facts = h("p", { class: "quality-facts" });
  #pictures = h("div", { class: "pictures" });
  #chart = lineChart({ capacity: 40, floor: 1, ceiling: 5, steps: [1, 2, 3, 4, 5] });
  element = h(
    "section",
    { class: "stage", "data-phase": "none" },
    h("div", { class: "face" }, this.#avatar),
    this.#headline,
    this.#subline,
    this.#notice,
    this.#pictures,
    this.#body,
  );

  /** @type {Call | null} */
  #call = null;
  /** @type {Peer | null} */
  #peer = null;
  #warnedUntil = 0;
  /** For what the body was made. */
  #shown = "";

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
  }

  get pictures() {
    return this.#pictures;
  }

  /**
   * @param {Call | null} call
   * @param {Peer | null} pending Who is being called, while the server has not answered yet.
   * @param {Peer | null} peer Who can be called.
   * @param {boolean} isElsewhere The call is another device's.
   */
  show(call, pending, peer, isElsewhere) {
    const phase = phaseOf(call, pending, isElsewhere);
    const body = phase === "connected" || phase === "connecting" ? "talking" : phase;
    const isSame = body === this.#shown && peer?.id === this.#peer?.id;
    this.#call = call;
    this.#peer = peer;
    const name = pending?.name ?? call?.peerName ?? call?.peerId ?? peer?.name ?? "";
    this.#avatar.textContent = (name || "?").slice(0, 1).toUpperCase();
    this.#avatar.dataset.tone = toneOf(pending?.id ?? call?.peerId ?? peer?.id ?? "");
    bind(this.#headline, "", () => this.#words(phase, name));
    this.element.dataset.phase = phase;
    this.tick();
    if (isSame) return;
    this.#shown = body;
    const hadFocus = this.#body.contains(document.activeElement);
    this.#body.replaceChildren(...this.#content(phase));
    if (phase !== "idle") this.notify(null);
    if (hadFocus) this.#body.querySelector("button, input")?.focus();
  }

  /**
   * @param {string} phase
   * @param {string} name
   */
  #words(phase, name) {
    if (phase === "initiating") return text("call.calling", { name });
    if (phase !== "idle") return text(`call.${phase}`, { name });
    return this.#call
      ? outcome(this.#call)
      : this.#peer
        ? text("call.contact", { name })
        : text("call.whom");
  }

  /**
   * @param {string} phase
   * @returns {Node[]}
   */
  #content(phase) {
    const { accept, reject, end, takeOver } = this.#actions;
    switch (phase) {
      case "idle":
        return this.#callers();
      case "incoming":
        return [
          h(
            "div",
            { class: "buttons" },
            action("reject", "down", "call.decline", () => reject("declined")),
            action(
              "accept",
              this.#call?.callType === "video" ? "video" : "phone",
              "call.accept",
              accept,
            ),
          ),
          h("button", {
            type: "button",
            class: "quiet",
            "data-action": "busy",
            text: "call.busy",
            onclick: () => reject("busy"),
          }),
        ];
      case "connecting":
      case "connected":
        return [
          this.#quality(),
          h("div", { class: "buttons" }, action("end", "down", "call.end", end)),
        ];
      case "elsewhere":
        return [
          h(
            "div",
            { class: "buttons" },
            action("end", "down", "call.end", end),
            action("take-over", "phone", "call.takeOver", takeOver),
          ),
        ];
      case "disconnecting":
        return [];
      default:
        return [h("div", { class: "buttons" }, action("end", "down", "call.cancel", end))];
    }
  }

  /** @returns {Node[]} */
  #callers() {
    const input = h("input", { type: "text", autocomplete: "off", maxlength: 64, required: true });
    const peer = () =>
      this.#peer ??
      (input.value.trim() ? { id: input.value.trim(), name: input.value.trim() } : null);
    const call = (/** @type {"audio" | "video"} */ callType) => () => {
      const wanted = peer();
      if (wanted) this.#actions.call(wanted, callType);
      else input.focus();
    };
    const field = h("label", { class: "field wide" }, h("span", { text: "call.who" }), input);
    return [
      ...(this.#peer ? [] : [field]),
      h(
        "div",
        { class: "buttons" },
        action("audio", "phone", "call.audio", call("audio")),
        action("video", "video", "call.video", call("video")),
      ),
    ];
  }

  #quality() {
    this.#chart = lineChart({ capacity: 40, floor: 1, ceiling: 5, steps: [1, 2, 3, 4, 5] });
    setLabel(this.#chart.element, "quality.title");
    setText(this.#facts, "quality.waiting");
    this.#warning.textContent = "";
    return h(
      "div",
      { class: "quality" },
      h("p", { class: "quality-title", text: "quality.title" }),
      this.#warning,
      this.#chart.element,
      this.#facts,
      this.#media,
    );
  }

  /**
   * What went wrong last; null takes it away.
   * @param {unknown} error
   * @param {string} [key]
   */
  notify(error, key) {
    this.#notice.hidden = !error && !key;
    if (key) setText(this.#notice, key);
    else if (error) bind(this.#notice, "", () => faultText(error));
  }

  // Within a phase.

  /** Moves what counts: the seconds that are left to answer, the time of the call. */
  tick() {
    const { phase } = this.element.dataset;
    const call = this.#call;
    if (this.#warnedUntil < Date.now()) this.#warning.textContent = "";
    if (
      call?.expiresAt &&
      (phase === "incoming" || phase === "initiating" || phase === "ringing")
    ) {
      const seconds = Math.max(0, Math.ceil((Date.parse(call.expiresAt) - Date.now()) / 1000));
      const kind = phase === "incoming" ? `${text(`call.incoming.${call.callType}`)} · ` : "";
      this.#subline.textContent = kind + text("call.left", { seconds });
    } else if (call?.startTime && phase === "connected") {
      this.#subline.textContent = duration((Date.now() - Date.parse(call.startTime)) / 1000);
    } else {
      const again = phase === "idle" && call && this.#peer;
      this.#subline.textContent = again ? text("call.again", { name: again.name }) : "";
    }
  }

  /** @param {CallSession} session */
  showMedia(session) {
    if (session.media === "joined")
      setText(this.#media, "media.joined", { uid: session.token.uid });
    else setText(this.#media, `media.${session.media}`, { reason: session.reason });
    if (session.media !== "none" || find(this.#body, ".quality").querySelector("select")) return;
    const options = Object.keys(scores).reverse();
    const select = h(
      "select",
      { "data-action": "network" },
      ...options.map((value) =>
        h("option", { value, text: `quality.${value}`, selected: value === session.network }),
      ),
    );
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
      const [rtt, loss] = [number(roundTripTime ?? 0), number((packetLossRate ?? 0) * 100, 1)];
      return `${words()} · ${text("quality.facts", { rtt, loss })}`;
    });
  }

  /**
   * The peer's network.
   * @param {string} networkQuality
   */
  warn(networkQuality) {
    this.#warnedUntil = Date.now() + warningMilliseconds;
    const name = this.#call?.peerName ?? "";
    bind(this.#warning, "", () =>
      this.#warnedUntil > Date.now()
        ? text("quality.warning", { name, quality: text(`quality.${networkQuality}`) })
        : "",
    );
  }

  /**
   * There is no token, and so no joining; null: there is one now.
   * @param {unknown} error
   */
  offerRetry(error) {
    this.notify(error);
    this.#body.querySelector("[data-action=retry]")?.remove();
    if (!error) return;
    const { retry } = this.#actions;
    this.#body.append(
      h("button", {
        type: "button",
        class: "quiet",
        "data-action": "retry",
        text: "call.retry",
        onclick: retry,
      }),
    );
  }
}

/**
 * A round button with its name below.
 * @param {string} name
 * @param {string} symbol
 * @param {string} key
 * @param {() => void} act
 */
const action = (name, symbol, key, act) =>
  h(
    "button",
    { type: "button", class: `action action-${name}`, "data-action": name, onclick: act },
    icon(symbol),
    h("span", { text: key }),
  );
