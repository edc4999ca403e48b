// The WebSocket half of chattrix.js: a connection that comes back, with what was missed meanwhile, once
// each and in order.

/**
 * @typedef {import("./chattrix.js").State} State
 * @typedef {import("./chattrix.js").Frame} Frame
 * @typedef {import("./chattrix.js").TokenReason} TokenReason
 *
 * @typedef {object} Login
 * @property {() => Promise<string>} ticket A single-use ticket for a handshake.
 * @property {() => string | null} token The token in hand.
 * @property {(reason: TokenReason) => Promise<string | null>} renew null where there is no other token.
 */

const firstDelayMilliseconds = 500;
const lastDelayMilliseconds = 30_000;
/** For any frame after a heartbeat, and for `connected` from the start of an attempt. */
const silenceMilliseconds = 10_000;
const ticketSilenceMilliseconds = 30_000;
const commandMilliseconds = 10_000;
const rememberedEvents = 500;

const loginEnded = 4401;
/** Too many messages, and too slow or not ready: at once would be too soon. */
const tooSoon = new Set([1008, 1013]);

/**
 * Exponential with jitter, so that clients of a server that comes back do not all come at once.
 * @param {number} failures
 */
export const backOffMilliseconds = (failures) =>
  Math.min(lastDelayMilliseconds, firstDelayMilliseconds * 2 ** failures) *
  (0.5 + Math.random() / 2);

/**
 * @param {string} text
 * @returns {any} null where it is no JSON, as the page of a proxy in between.
 */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export class Signaling {
  #url;
  #deviceId;
  #login;
  #emit;

  /** @type {State} */
  #state = "offline";
  /** @type {WebSocket | null} */
  #socket = null;
  #isWanted = false;
  /** Rises with each attempt, so that what belongs to an older one is recognised. */
  #attempt = 0;
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #heartbeatTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silenceTimer;

  /** @type {bigint | null} */
  #lastEventId;
  #isResumed = false;
  #replayedUpTo = 0n;
  /** @type {Set<string>} */
  #seen = new Set();
  /** @type {Map<string, (result: { status: number, body: any }) => void>} */
  #commands = new Map();
  /** @type {string | null} */
  authenticatedUntil = null;

  /**
   * @param {{ url: string, deviceId: string, lastEventId: string | null, login: Login,
   *   emit: (type: string, detail: object) => void }} options
   */
  constructor({ url, deviceId, lastEventId, login, emit }) {
    this.#url = new URL(url, globalThis.location?.href).href.replace(/^http/, "ws");
    this.#deviceId = deviceId;
    this.#lastEventId = lastEventId === null ? null : BigInt(lastEventId);
    this.#login = login;
    this.#emit = emit;
  }

  get state() {
    return this.#state;
  }

  get lastEventId() {
    return this.#lastEventId === null ? null : String(this.#lastEventId);
  }

  connect() {
    if (this.#isWanted) return;
    this.#isWanted = true;
    globalThis.addEventListener?.("online", this.hurry);
    globalThis.document?.addEventListener("visibilitychange", this.hurry);
    this.#open();
  }

  disconnect() {
    this.#isWanted = false;
    globalThis.removeEventListener?.("online", this.hurry);
    globalThis.document?.removeEventListener("visibilitychange", this.hurry);
    this.#drop();
    this.#become("offline");
  }

  /** The network is back, or the page is looked at again: what was waiting goes on, what is open is tried. */
  hurry = () => {
    if (this.#state === "waiting") this.#open();
    if (this.#state === "online") this.#beat();
  };

  /** @param {number | null} [closeCode] */
  signOut(closeCode = null) {
    if (!this.#isWanted || this.#state === "signed-out") return;
    this.#drop();
    this.#become("signed-out", null, closeCode);
  }

  /** @param {string} token */
  async useToken(token) {
    if (this.#state === "online") return this.#authenticate(token);
    if (this.#isWanted) this.#open();
  }

  /**
   * @param {string} type
   * @param {object} data
   * @returns {Promise<{ status: number, body: any }>} Status 0: the connection is away, or went away before
   *   the result came, and what became of the command is not known.
   */
  command(type, data) {
    if (this.#state !== "online") return Promise.resolve({ status: 0, body: null });
    const requestId = crypto.randomUUID();
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle({ status: 0, body: null }), commandMilliseconds);
      const settle = (/** @type {{ status: number, body: any }} */ result) => {
        clearTimeout(timer);
        this.#commands.delete(requestId);
        resolve(result);
      };
      this.#commands.set(requestId, settle);
      this.#send({ type, requestId, data });
    });
  }

  // Opening.

  /** @returns {Promise<void>} */
  async #open() {
    this.#drop();
    const attempt = this.#attempt;
    this.#become("connecting");
    this.#awaitFrame(ticketSilenceMilliseconds);
    const credential = await this.#credential();
    if (attempt !== this.#attempt) return;
    if (credential.ticket || credential.token) this.#dial(credential, attempt);
    else this.#lost(null, credential.waitSeconds);
  }

  /**
   * A ticket, so that no token stands in an address; the token itself where there are no tickets to be had
   * (without Redis, contract 6.1). Neither where the server cannot be reached or refuses.
   * @returns {Promise<{ ticket?: string, token?: string, waitSeconds?: number }>}
   */
  async #credential() {
    try {
      return { ticket: await this.#login.ticket() };
    } catch (error) {
      const token = this.#login.token();
      const { status, retryAfter } =
        /** @type {{ status?: number, retryAfter?: number | null }} */ (error);
      return status === 503 && token ? { token } : { waitSeconds: retryAfter ?? 0 };
    }
  }

  /**
   * @param {{ ticket?: string, token?: string }} credential
   * @param {number} attempt
   */
  #dial({ ticket, token }, attempt) {
    const url = new URL(this.#url);
    url.searchParams.set("deviceId", this.#deviceId);
    if (this.#lastEventId !== null) url.searchParams.set("lastEventId", String(this.#lastEventId));
    if (ticket) url.searchParams.set("ticket", ticket);
    this.#isResumed = this.#lastEventId !== null;
    const socket = new WebSocket(url, token ? ["chattrix.v1", `bearer.${token}`] : undefined);
    this.#socket = socket;
    this.#awaitFrame(silenceMilliseconds);
    socket.onmessage = ({ data }) => {
      const frame = attempt === this.#attempt ? parsed(data) : null;
      if (frame) this.#receive(frame);
    };
    socket.onclose = ({ code }) => {
      if (attempt === this.#attempt) this.#lost(code);
    };
  }

  /** Lets go of a connection, open or not. */
  #drop() {
    this.#attempt++;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#heartbeatTimer);
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = undefined;
    this.#socket?.close(1000);
    this.#socket = null;
    this.authenticatedUntil = null;
    for (const settle of [...this.#commands.values()]) settle({ status: 0, body: null });
  }

  /**
   * @param {number | null} closeCode
   * @param {number} [waitSeconds] What the server has asked for (Retry-After).
   * @returns {Promise<void>}
   */
  async #lost(closeCode, waitSeconds = 0) {
    if (this.#state === "signed-out" || this.#state === "offline") return;
    this.#drop();
    const attempt = this.#attempt;
    if (closeCode === loginEnded) {
      const token = await this.#login.renew("expired").catch(() => undefined);
      if (attempt !== this.#attempt) return;
      if (token === null) return this.signOut(closeCode);
      if (token) return this.#open();
    }
    if (closeCode !== null && tooSoon.has(closeCode)) this.#failures = Math.max(this.#failures, 2);
    const delay = Math.max(backOffMilliseconds(this.#failures++), waitSeconds * 1000);
    this.#retryTimer = setTimeout(() => this.#open(), delay);
    this.#become("waiting", Date.now() + delay, closeCode);
  }

  /**
   * @param {State} state
   * @param {number | null} [retryAt]
   * @param {number | null} [closeCode]
   */
  #become(state, retryAt = null, closeCode = null) {
    this.#state = state;
    this.#emit("state", { state, retryAt, closeCode });
  }

  // What comes.

  /** @param {Frame} frame */
  #receive(frame) {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = undefined;
    if (frame.id !== undefined && !this.#isNew(frame.id)) return;
    frame.replayed = frame.id !== undefined && BigInt(frame.id) <= this.#replayedUpTo;
    if (frame.type === "connected") this.#greeted(frame.data);
    if (frame.type === "command_result") this.#commands.get(frame.data.requestId)?.(frame.data);
    if (frame.type === "auth_expiring") this.#renew();
    this.#emit("frame", frame);
    this.#emit(frame.type, frame);
  }

  /**
   * Delivery is at least once. A connection that went on from no event is invited again to a call that rings,
   * under its first id, which is an old one.
   * @param {string} id
   */
  #isNew(id) {
    const number = BigInt(id);
    if (this.#seen.has(id)) return false;
    if (this.#isResumed && this.#lastEventId !== null && number <= this.#lastEventId) return false;
    this.#seen.add(id);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= rememberedEvents) break;
      this.#seen.delete(oldest);
    }
    if (this.#lastEventId === null || number > this.#lastEventId) this.#lastEventId = number;
    return true;
  }

  /** @param {any} data Of `connected`. */
  #greeted({ lastEventId, heartbeatSeconds, authenticatedUntil = null }) {
    this.#failures = 0;
    this.#replayedUpTo = BigInt(lastEventId);
    if (!this.#isResumed) this.#lastEventId = this.#replayedUpTo;
    this.authenticatedUntil = authenticatedUntil;
    this.#become("online");
    const beat = () => {
      this.#beat();
      this.#heartbeatTimer = setTimeout(beat, heartbeatSeconds * 1000);
    };
    this.#heartbeatTimer = setTimeout(beat, heartbeatSeconds * 1000);
  }

  // What goes out.

  /** @param {object} message */
  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** A page sees no pings, and a network that has gone closes nothing: so it asks. */
  #beat() {
    this.#send({ type: "heartbeat" });
    this.#awaitFrame(silenceMilliseconds);
  }

  /** @param {number} milliseconds */
  #awaitFrame(milliseconds) {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#lost(null), milliseconds);
  }

  async #renew() {
    const token = await this.#login.renew("expiring").catch(() => null);
    if (token !== null) await this.#authenticate(token);
  }

  /** @param {string} token */
  async #authenticate(token) {
    const { status, body } = await this.command("auth", { token });
    if (status !== 200) return;
    this.authenticatedUntil = body?.data?.authenticatedUntil ?? this.authenticatedUntil;
    this.#emit("authenticated", { authenticatedUntil: this.authenticatedUntil });
  }
}
