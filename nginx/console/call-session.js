// An accepted call from this participant's side: the Agora token and its renewal, the channel, the report
// that talking has begun, and the quality of the network every few seconds.

import { ChattrixError } from "./chattrix.js";
import { AgoraChannel, loadAgora, messageOf, simulatedSample } from "./agora.js";
import { decodeAgoraToken } from "./token.js";

/** @typedef {import("./chattrix.js").NetworkQuality} NetworkQuality */
/** @typedef {import("./agora.js").Sample} Sample */

const reportMilliseconds = 3000;
const renewalMilliseconds = 60_000;
const retryMilliseconds = 10_000;

export class CallSession {
  #client;
  #call;
  #pictures;
  #changed;
  #isOver = false;
  /** @type {AgoraChannel | null} */
  #channel = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #reportTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #renewalTimer;

  /**
   * What POST /agora/token/generate gave.
   * @type {any}
   */
  token = null;
  /** @type {Awaited<ReturnType<typeof decodeAgoraToken>>} */
  decoded = null;
  /** @type {"joining" | "joined" | "listening" | "none" | "failed"} */
  media = "joining";
  /** Why joining failed, or why this participant is not heard. */
  reason = "";
  /**
   * Why there is no token, or no joining.
   * @type {unknown}
   */
  fault = null;
  /**
   * What is reported where no SDK measures anything.
   * @type {NetworkQuality}
   */
  network = "good";
  /** @type {Sample | null} */
  sample = null;

  /**
   * @param {import("./chattrix.js").Chattrix} client
   * @param {import("./call-model.js").Call} call
   * @param {HTMLElement} pictures
   * @param {(what: "token" | "media" | "sample" | "over") => void} changed
   */
  constructor(client, call, pictures, changed) {
    this.#client = client;
    this.#call = call;
    this.#pictures = pictures;
    this.#changed = (/** @type {"token" | "media" | "sample" | "over"} */ what) => {
      if (!this.#isOver) changed(what);
    };
  }

  get callId() {
    return this.#call.callId;
  }

  /** Gets a token, joins, and says that the call is connected. */
  async start() {
    this.fault = null;
    try {
      await this.#take(await this.#client.agoraToken(this.#call.channelId ?? ""));
      await this.#join();
      if (this.#isOver) return;
      await this.#client.setStatus(this.callId, "connected");
    } catch (error) {
      this.fault = error;
      this.#changed("token");
      return;
    }
    this.#reportTimer = setInterval(() => this.report(), reportMilliseconds);
    this.report();
  }

  /** @param {any} token */
  async #take(token) {
    this.token = token;
    this.decoded = await decodeAgoraToken(token.token);
    if (this.#isOver) return;
    const left = Date.parse(token.expiresAt) - Date.now();
    this.#renewAfter(Math.max(left / 2, left - renewalMilliseconds));
    this.#changed("token");
  }

  /** @param {number} milliseconds */
  #renewAfter(milliseconds) {
    clearTimeout(this.#renewalTimer);
    this.#renewalTimer = setTimeout(() => this.renew(), milliseconds);
  }

  /** Another token before this one runs out, since Agora puts out whoever has none. */
  async renew() {
    try {
      const token = await this.#client.refreshAgoraToken(this.token.channelId, this.token.token);
      await this.#take(token);
      await this.#channel?.renew(token.token);
    } catch {
      if (!this.#isOver) this.#renewAfter(retryMilliseconds);
    }
  }

  async #join() {
    const sdk = await loadAgora();
    if (!sdk || !this.decoded || this.#isOver) {
      this.media = "none";
      return this.#changed("media");
    }
    const { token, uid } = this.token;
    const isVideo = this.#call.callType === "video";
    this.#channel = new AgoraChannel(sdk, this.#pictures, () => this.renew());
    try {
      const { appId, channel: channelId } = this.decoded;
      await this.#channel.join({ appId, channelId, token, uid, isVideo });
      if (this.#isOver) return;
      this.reason = this.#channel.silence;
      this.media = this.reason ? "listening" : "joined";
      this.#changed("media");
    } catch (error) {
      this.media = "failed";
      this.reason = messageOf(error);
      this.#channel?.leave().catch(() => {});
      this.#channel = null;
      this.#changed("media");
      throw error;
    }
  }

  /** Reports the network as it is now. */
  async report() {
    const isMeasured = this.media !== "none";
    const sample = isMeasured ? this.#channel?.sample() : simulatedSample(this.network);
    if (!sample || this.#isOver) return;
    this.sample = sample;
    this.#changed("sample");
    try {
      await this.#client.reportQuality(this.callId, sample);
    } catch (error) {
      // The end of a call is told to the other participant, not to this one's other devices.
      if (error instanceof ChattrixError && error.code === "NO_ACTIVE_CALL") this.#changed("over");
    }
  }

  stop() {
    this.#isOver = true;
    clearInterval(this.#reportTimer);
    clearTimeout(this.#renewalTimer);
    this.#channel?.leave().catch(() => {});
  }
}
