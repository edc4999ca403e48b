// The screen of a phone: who is called or calls, what can be done about it, and how the network is. A new
// phase of the call makes it anew; within a phase only what changes is written.

import { bind, h, icon, initialOf, setText, toneOf } from "./dom.js";
import { duration, text } from "./text.js";
import { ChattrixError } from "./chattrix.js";
import { faultText } from "./faults.js";
import { isOver } from "./call-model.js";
import { QualityCard } from "./quality-card.js";

/** @typedef {import("./call-model.js").Call} Call */
/** @typedef {import("./call-session.js").CallSession} CallSession */
/** @typedef {{ id: string, name: string }} Peer */

/**
 * @typedef {object} Actions
 * @property {(peer: Peer, callType: "audio" | "video") => Promise<void>} call
 * @property {() => Promise<void>} accept
 * @property {(reason: "declined" | "busy") => Promise<void>} reject
 * @property {() => Promise<void>} end
 * @property {() => unknown} retry Gets a token and joins again.
 * @property {() => void} takeOver Goes on here with a call that another device is in.
 */

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
 * @param {(Peer & { isCancelled?: boolean }) | null} pending
 * @param {boolean} isElsewhere
 * @returns {string}
 */
function phaseOf(call, pending, isElsewhere) {
  if (pending) return pending.isCancelled ? "disconnecting" : "calling";
  if (!call || isOver(call)) return "idle";
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
  #pictures = h("div", { class: "pictures" });
  #quality = new QualityCard();
  #owner = h("p", { class: "owner" });
  element = h(
    "section",
    { class: "stage", "data-phase": "none" },
    this.#owner,
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
  /** For what the body was made. */
  #shown = "";

  /**
   * @param {string} owner Whose phone this is.
   * @param {Actions} actions
   */
  constructor(owner, actions) {
    this.#actions = actions;
    setText(this.#owner, "phone", { name: owner });
  }

  get pictures() {
    return this.#pictures;
  }

  /**
   * @param {Call | null} call
   * @param {(Peer & { isCancelled?: boolean }) | null} pending Who is being called, while the server has not
   *   answered yet.
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
    this.#avatar.textContent = initialOf(name);
    this.#avatar.dataset.tone = toneOf(pending?.id ?? call?.peerId ?? peer?.id ?? "");
    bind(this.#headline, "", () => this.#words(phase, name));
    this.element.dataset.phase = phase;
    this.tick();
    if (isSame) return;
    this.#shown = body;
    this.#free();
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
    const act = (/** @type {() => Promise<void>} */ send) => () => this.#once(send);
    switch (phase) {
      case "idle":
        return this.#callers();
      case "incoming":
        return [
          h(
            "div",
            { class: "buttons" },
            action(
              "reject",
              "down",
              "call.decline",
              act(() => reject("declined")),
            ),
            action(
              "accept",
              this.#call?.callType === "video" ? "video" : "phone",
              "call.accept",
              act(accept),
            ),
          ),
          h("button", {
            type: "button",
            class: "quiet",
            "data-action": "busy",
            text: "call.busy",
            onclick: act(() => reject("busy")),
          }),
        ];
      case "connecting":
      case "connected":
        this.#quality = new QualityCard();
        return [
          this.#quality.element,
          h("div", { class: "buttons" }, action("end", "down", "call.end", act(end))),
        ];
      case "elsewhere":
        return [
          h(
            "div",
            { class: "buttons" },
            action("end", "down", "call.end", act(end)),
            action("take-over", "phone", "call.takeOver", takeOver),
          ),
        ];
      case "disconnecting":
        return [];
      default:
        return [h("div", { class: "buttons" }, action("end", "down", "call.cancel", act(end)))];
    }
  }

  /**
   * On a slow network an answer takes a while: the button shows that it was pressed, and is not pressed twice.
   * @param {() => Promise<void>} send
   */
  async #once(send) {
    if (this.#body.ariaBusy === "true") return;
    this.#body.ariaBusy = "true";
    const shown = this.#shown;
    await send().finally(() => {
      if (shown === this.#shown) this.#free();
    });
  }

  #free() {
    this.#body.ariaBusy = "false";
  }

  /** @returns {Node[]} */
  #callers() {
    const input = h("input", { type: "text", autocomplete: "off", maxlength: 64, required: true });
    const peer = () =>
      this.#peer ??
      (input.value.trim() ? { id: input.value.trim(), name: input.value.trim() } : null);
    const call = (/** @type {"audio" | "video"} */ callType) => () => {
      const wanted = peer();
      if (wanted) this.#once(() => this.#actions.call(wanted, callType));
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
    this.#quality.tick();
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
    this.#quality.showMedia(session);
  }

  /** @param {CallSession} session */
  showSample(session) {
    this.#quality.showSample(session);
  }

  /**
   * The peer's network.
   * @param {string} networkQuality
   */
  warn(networkQuality) {
    this.#quality.warn(this.#call?.peerName ?? "", networkQuality);
  }

  /**
   * There is no token, or no joining; null: it is being tried.
   * @param {unknown} error
   */
  offerRetry(error) {
    // Why the SDK could not join is told where the media are.
    this.notify(error instanceof ChattrixError ? error : null);
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
