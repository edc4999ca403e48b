// A client of Chattrix Calls for browsers: REST and signaling in one object, without dependencies. An
// application copies this file, chattrix-rest.js and chattrix-signaling.js; the console around them is
// the example. The interface itself is described in /api/v1/openapi.json and asyncapi.json.
//
//   const client = new Chattrix({ getToken: () => fetchTokenOfYourUser() });
//   client.on("call_invitation", ({ data }) => ring(data));
//   client.on("state", ({ state }) => show(state));
//   client.connect();
//   const call = await client.initiate("bob", "video");

import { ChattrixError, Rest, unwrap } from "./chattrix-rest.js";
import { Signaling } from "./chattrix-signaling.js";

export { ChattrixError };

/**
 * @typedef {"audio" | "video"} CallType
 * @typedef {"excellent" | "good" | "poor" | "bad" | "veryBad" | "unknown"} NetworkQuality
 *
 * Why a token is asked for: at the `start`, because the server has `rejected` the one in hand (401),
 * because it is `expiring` (60 s before), or because it has `expired` and the socket was closed.
 * @typedef {"start" | "rejected" | "expiring" | "expired"} TokenReason
 *
 * `offline`: connect() was not called, or disconnect() was. `waiting`: until `retryAt` (milliseconds since
 * 1970). `signed-out`: getToken has no other token than one that was refused; useToken() goes on.
 * @typedef {"offline" | "connecting" | "online" | "waiting" | "signed-out"} State
 * @typedef {{ state: State, retryAt: number | null, closeCode: number | null }} StateChange
 *
 * A frame of the server. `id` is there for events of the user; `replayed` says that it happened before
 * this connection was made.
 * @typedef {{ id?: string, type: string, data: any, timestamp: string, replayed: boolean }} Frame
 *
 * @typedef {object} Options
 * @property {(reason: TokenReason) => string | null | Promise<string | null>} getToken The user's JWT.
 * @property {string} [apiUrl] Where REST is; "/api/v1" of the page's own origin by default.
 * @property {string} [socketUrl] Where signaling is; "/ws" of the page's own origin by default.
 * @property {string} [deviceId] 1-128 characters; the same for a device for as long as possible.
 * @property {string | null} [lastEventId] The newest event that this device has seen, to go on from there.
 */

export class Chattrix extends EventTarget {
  /** @type {Rest} */
  #rest;
  /** @type {Signaling} */
  #signaling;

  /** @param {Options} options */
  constructor({ getToken, apiUrl = "/api/v1", socketUrl = "/ws", deviceId, lastEventId = null }) {
    super();
    this.deviceId = deviceId ?? crypto.randomUUID();
    this.#rest = new Rest(apiUrl, getToken, () => this.#signaling.signOut());
    this.#signaling = new Signaling({
      url: socketUrl,
      deviceId: this.deviceId,
      lastEventId,
      login: {
        ticket: async () => (await this.request("POST", "/signaling/ticket")).ticket,
        token: () => this.#rest.token,
        renew: (reason) => this.#rest.renew(reason),
      },
      emit: (type, detail) => this.dispatchEvent(new CustomEvent(type, { detail })),
    });
  }

  /**
   * Any route of the API, below /api/v1.
   * @param {string} method
   * @param {string} path
   * @param {import("./chattrix-rest.js").RequestOptions} [options]
   * @returns {Promise<any>} The answer's `data`.
   * @throws {ChattrixError}
   */
  request(method, path, options) {
    return this.#rest.request(method, path, options);
  }

  /**
   * Listens to `state`, to `authenticated` (the login was renewed on the open socket), to `frame` (all frames) or to
   * one type of frame (`call_invitation`, `connected`, …).
   * @template {string} Type
   * @param {Type} type
   * @param {(detail: Type extends "state" ? StateChange
   *   : Type extends "authenticated" ? { authenticatedUntil: string | null } : Frame) => void} listener
   * @returns {() => void} Stops listening.
   */
  on(type, listener) {
    const wrapped = (/** @type {Event} */ event) =>
      listener(/** @type {CustomEvent} */ (event).detail);
    this.addEventListener(type, wrapped);
    return () => this.removeEventListener(type, wrapped);
  }

  // Signaling.

  /** Connects, and keeps connecting until disconnect(). */
  connect() {
    this.#signaling.connect();
  }

  disconnect() {
    this.#signaling.disconnect();
  }

  /** Connects now instead of at `retryAt`. */
  hurry() {
    this.#signaling.hurry();
  }

  get state() {
    return this.#signaling.state;
  }

  /** To be kept where it survives the page, and given to the next client as `lastEventId`. */
  get lastEventId() {
    return this.#signaling.lastEventId;
  }

  /** When the server will close the socket unless the login is renewed; null where it never will. */
  get authenticatedUntil() {
    return this.#signaling.authenticatedUntil;
  }

  /**
   * A command over the socket, where the order with other commands matters; else accept(), reject() and
   * end() do the same.
   * @param {"call.accept" | "call.reject" | "call.end"} type
   * @param {{ callId: string, reason?: string }} data
   * @throws {ChattrixError}
   */
  async command(type, data) {
    const { status, body } = await this.#signaling.command(type, data);
    return unwrap(status, body, null);
  }

  /**
   * Goes on with a token that the application has got by itself, on the open socket too.
   * @param {string} token
   */
  async useToken(token) {
    this.#rest.token = token;
    await this.#signaling.useToken(token);
  }

  // Calls.

  /**
   * Rings the callee. A request whose answer got lost is repeated under the same key, and makes no second
   * call. With `joinIncoming`, a call from this callee that rings already is accepted instead (`joined`).
   * @param {string} calleeId
   * @param {CallType} callType
   * @param {{ joinIncoming?: boolean, idempotencyKey?: string }} options
   */
  initiate(
    calleeId,
    callType,
    { joinIncoming = false, idempotencyKey = crypto.randomUUID() } = {},
  ) {
    const body = {
      calleeId,
      callType,
      deviceId: this.deviceId,
      ...(joinIncoming && { joinIncoming }),
    };
    const headers = { "Idempotency-Key": idempotencyKey };
    return this.request("POST", "/calls/initiate", { body, headers, mayRepeat: true });
  }

  /** @param {string} callId */
  accept(callId) {
    return this.#change(callId, "accept", {});
  }

  /**
   * @param {string} callId
   * @param {"declined" | "busy" | "unavailable" | "timeout"} [reason]
   */
  reject(callId, reason = "declined") {
    return this.#change(callId, "reject", { reason });
  }

  /**
   * Hangs up, cancels, or refuses, whichever it is at this moment.
   * @param {string} callId
   */
  end(callId) {
    return this.#change(callId, "end", {});
  }

  /**
   * @param {string} callId
   * @param {string} verb
   * @param {object} body
   */
  #change(callId, verb, body) {
    const path = `/calls/${encodeURIComponent(callId)}/${verb}`;
    return this.request("POST", path, {
      body: { ...body, deviceId: this.deviceId },
      mayRepeat: true,
    });
  }

  /**
   * @param {string} callId
   * @param {"connecting" | "connected" | "disconnecting"} status
   */
  setStatus(callId, status) {
    const path = `/calls/${encodeURIComponent(callId)}/status`;
    return this.request("PATCH", path, { body: { status }, mayRepeat: true });
  }

  activeCall() {
    return this.request("GET", "/calls/active");
  }

  /** @param {string} callId */
  call(callId) {
    return this.request("GET", `/calls/${encodeURIComponent(callId)}`);
  }

  /**
   * @param {string} callId
   * @param {{ networkQuality: NetworkQuality, packetLossRate?: number, roundTripTime?: number }} sample
   *   The loss is 0-1, the round trip in milliseconds.
   */
  reportQuality(callId, sample) {
    return this.request("POST", `/calls/${encodeURIComponent(callId)}/quality`, { body: sample });
  }

  /**
   * @param {string} channelId
   * @param {{ role?: "publisher" | "subscriber", expirationSeconds?: number }} [options]
   */
  agoraToken(channelId, options = {}) {
    const body = { channelId, ...options };
    return this.request("POST", "/agora/token/generate", { body, mayRepeat: true });
  }

  /**
   * @param {string} channelId
   * @param {string} oldToken
   */
  refreshAgoraToken(channelId, oldToken) {
    const body = { channelId, oldToken };
    return this.request("POST", "/agora/token/refresh", { body, mayRepeat: true });
  }

  // History.

  /** @param {{ page?: number, limit?: number, cursor?: string, callType?: string, status?: string }} [query] */
  history(query = {}) {
    return this.request("GET", "/calls/history", { query });
  }

  /** @param {string} callId */
  deleteHistory(callId) {
    return this.request("DELETE", `/calls/history/${encodeURIComponent(callId)}`);
  }

  /** @param {"day" | "week" | "month" | "year"} period */
  statistics(period) {
    return this.request("GET", "/calls/statistics", { query: { period } });
  }

  /** How many calls the user has missed since markSeen(). */
  unseen() {
    return this.request("GET", "/calls/history/unseen");
  }

  markSeen() {
    return this.request("POST", "/calls/history/seen", { mayRepeat: true });
  }

  availability() {
    return this.request("GET", "/me/availability");
  }

  /**
   * @param {boolean} doNotDisturb
   * @param {string} [until] A time; without it, until further notice.
   */
  setAvailability(doNotDisturb, until) {
    const body = until === undefined ? { doNotDisturb } : { doNotDisturb, until };
    return this.request("PUT", "/me/availability", { body, mayRepeat: true });
  }
}
