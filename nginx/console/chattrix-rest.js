// The REST half of chattrix.js: requests, the login that they need, and errors as exceptions.

import { backOffMilliseconds, parsed } from "./chattrix-signaling.js";

/**
 * @typedef {object} RequestOptions
 * @property {object} [body]
 * @property {Record<string, any>} [query] Members that are undefined are left out.
 * @property {Record<string, string>} [headers]
 * @property {boolean} [mayRepeat] Whether the request is sent again where its answer got lost or the
 *   server was away; so is every GET.
 */

const requestTimeoutMilliseconds = 15_000;
const attempts = 3;
/** A server that asks for more time than this is waited for by the application, which can show it. */
const patienceSeconds = 5;

export class ChattrixError extends Error {
  /**
   * @param {string} message
   * @param {{ code: string, status?: number, details?: any, retryAfter?: number | null,
   *   requestId?: string | null }} facts `code` as in the contract, or NETWORK (no answer,
   *   `status` 0) or UNREADABLE (an answer of another server). `retryAfter` is in seconds.
   */
  constructor(message, { code, status = 0, details = null, retryAfter = null, requestId = null }) {
    super(message);
    this.name = "ChattrixError";
    this.code = code;
    this.status = status;
    this.details = details;
    this.retryAfter = retryAfter;
    this.requestId = requestId;
  }

  /** Whether the same request may succeed a moment later. */
  get isTransient() {
    return this.status === 0 || this.status === 503;
  }
}

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The `data` of an answer.
 * @param {number} status
 * @param {any} answer
 * @param {number | null} retryAfter
 */
export function unwrap(status, answer, retryAfter) {
  if (answer?.success === true) return answer.data;
  if (status === 0) throw new ChattrixError("There was no answer", { code: "NETWORK" });
  const { requestId = null, error } = answer ?? {};
  const { code = "UNREADABLE", message = `HTTP ${status}`, details } = error ?? {};
  throw new ChattrixError(message, { status, code, details, retryAfter, requestId });
}

export class Rest {
  #url;
  #getToken;
  #signOut;
  /** @type {Promise<string | null> | null} */
  #pending = null;
  /** @type {string | null} */
  token = null;

  /**
   * @param {string} url
   * @param {import("./chattrix.js").Options["getToken"]} getToken
   * @param {() => void} signOut There is no other token than one that was refused.
   */
  constructor(url, getToken, signOut) {
    this.#url = url;
    this.#getToken = getToken;
    this.#signOut = signOut;
  }

  /**
   * Any route of the API, below /api/v1.
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions} options
   * @returns {Promise<any>} The answer's `data`.
   * @throws {ChattrixError}
   */
  async request(method, path, { body, query, headers, mayRepeat = method === "GET" } = {}) {
    const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
    const url = this.#url + path + (given.length ? `?${new URLSearchParams(given)}` : "");
    /** @type {RequestInit} */
    const init = { method, cache: "no-store", headers: { ...headers } };
    if (body) {
      init.body = JSON.stringify(body);
      init.headers = { ...headers, "Content-Type": "application/json" };
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#authenticated(url, init);
      } catch (error) {
        const isTransient = error instanceof ChattrixError && error.isTransient;
        if (!isTransient || !mayRepeat || attempt === attempts) throw error;
        const seconds = error.retryAfter ?? 0;
        if (seconds > patienceSeconds) throw error;
        await pause(Math.max(backOffMilliseconds(attempt), seconds * 1000));
      }
    }
  }

  /**
   * Once more with another token where the server refuses the one in hand.
   * @param {string} url
   * @param {RequestInit} init
   */
  async #authenticated(url, init) {
    const token = this.token ?? (await this.renew("start"));
    try {
      return await this.#exchange(url, init, token);
    } catch (error) {
      if (!(error instanceof ChattrixError && error.status === 401)) throw error;
      const other = this.token !== token ? this.token : await this.renew("rejected");
      if (other === null) {
        this.#signOut();
        throw error;
      }
      return this.#exchange(url, init, other);
    }
  }

  /**
   * @param {string} url
   * @param {RequestInit} init
   * @param {string | null} token
   */
  async #exchange(url, init, token) {
    const headers = { ...init.headers, ...(token && { Authorization: `Bearer ${token}` }) };
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), requestTimeoutMilliseconds);
    let response, text;
    try {
      response = await fetch(url, { ...init, headers, signal: timeout.signal });
      text = await response.text();
    } catch (error) {
      // Also where the connection breaks within the answer: the request may have been carried out.
      throw new ChattrixError(String(error), { code: "NETWORK" });
    } finally {
      clearTimeout(timer);
    }
    const retryAfter = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
    return unwrap(response.status, parsed(text), Number.isNaN(retryAfter) ? null : retryAfter);
  }

  /**
   * Asks the application once, whoever waits for it.
   * @param {import("./chattrix.js").TokenReason} reason
   * @returns {Promise<string | null>} null where it has no other token than the one that was refused.
   */
  renew(reason) {
    const old = this.token;
    this.#pending ??= Promise.resolve()
      .then(() => this.#getToken(reason))
      .then((token) => {
        if (!token || token === old) return null;
        this.token = token;
        return token;
      })
      .finally(() => {
        this.#pending = null;
      });
    return this.#pending;
  }
}
