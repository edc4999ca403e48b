// What the login and the Agora token say, and how long they last.

import { bind, h } from "./dom.js";
import { dateTime, duration, text, time } from "./text.js";
import { decodeJWT } from "./token.js";

/**
 * A time that is to come, with what is left.
 * @param {number} at Milliseconds.
 */
function remaining(at) {
  const left = (at - Date.now()) / 1000;
  return left > 0
    ? text("login.left", { time: time(at), left: duration(left) })
    : text("login.over", { time: time(at) });
}

/**
 * @param {string} key
 * @param {() => string} words
 */
function fact(key, words) {
  const value = h("dd", { "data-fact": key });
  bind(value, "", words);
  return h("div", {}, h("dt", { text: key }), value);
}

export class LoginPanel {
  #jwt = h("div", {});
  #agora = h("div", {});
  element = h(
    "div",
    { class: "panel" },
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "group", label: "tab.login" },
      h("h3", { text: "login.jwt" }),
      this.#jwt,
      h("h3", { text: "agora.title" }),
      this.#agora,
    ),
  );
  /** @type {(() => void)[]} */
  #ticking = [];

  constructor() {
    this.showAgora(null);
  }

  /** Moves what counts down. */
  tick() {
    if (!this.element.hidden) for (const each of this.#ticking) each();
  }

  /**
   * @param {string} key
   * @param {() => string} words
   */
  #countdown(key, words) {
    const element = fact(key, words);
    this.#ticking.push(() => element.isConnected && bind(element.lastElementChild, "", words));
    return element;
  }

  /**
   * @param {string} token
   * @param {import("./chattrix.js").Chattrix} client
   */
  show(token, client) {
    this.#ticking = [];
    const decoded = decodeJWT(token);
    if (!decoded) return;
    const { header, claims } = decoded;
    const until = () =>
      client.authenticatedUntil
        ? remaining(Date.parse(client.authenticatedUntil))
        : text("login.unlimited");
    this.#jwt.replaceChildren(
      h(
        "dl",
        { class: "facts" },
        fact("login.user", () => String(claims.sub)),
        fact("login.algorithm", () => header.alg + (header.kid ? ` (${header.kid})` : "")),
        claims.iat ? fact("login.issued", () => dateTime(claims.iat * 1000)) : null,
        this.#countdown("login.expires", () => remaining(claims.exp * 1000)),
        this.#countdown("login.socket", until),
        fact("login.device", () => client.deviceId),
        this.#countdown("login.event", () => client.lastEventId ?? "–"),
      ),
      h(
        "details",
        {},
        h("summary", { text: "login.claims" }),
        h("pre", {}, JSON.stringify(claims, null, 2)),
      ),
    );
  }

  /** @param {import("./call-session.js").CallSession | null} session */
  showAgora(session) {
    const { token, decoded } = session ?? {};
    if (!token)
      return void this.#agora.replaceChildren(h("p", { class: "empty", text: "agora.none" }));
    const privileges = () => (decoded?.privileges ?? []).map(({ name }) => text(name)).join(", ");
    const raw = h("pre", { class: "wrap" }, token.token);
    this.#agora.replaceChildren(
      h(
        "dl",
        { class: "facts" },
        fact("agora.app", () => decoded?.appId ?? ""),
        fact("agora.channel", () => token.channelId),
        fact("agora.uid", () => String(token.uid)),
        fact("agora.privileges", privileges),
        this.#countdown("login.expires", () => remaining(Date.parse(token.expiresAt))),
      ),
      h("details", {}, h("summary", { text: "agora.token" }), raw),
    );
  }
}
