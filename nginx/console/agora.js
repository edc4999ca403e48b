// Sound and picture by Agora's Web SDK (docs.agora.io, "Web SDK NG"), where the server has it beside the
// console. Without it a call is made all the same, and its network is simulated.

/** @typedef {import("./chattrix.js").NetworkQuality} NetworkQuality */
/** @typedef {{ networkQuality: NetworkQuality, roundTripTime?: number, packetLossRate?: number }} Sample */

/**
 * The SDK's levels, 0-6.
 * @type {NetworkQuality[]}
 */
const levels = ["unknown", "excellent", "good", "poor", "bad", "veryBad", "veryBad"];

/** @type {Promise<any> | null} */
let loading = null;

/** @returns {Promise<any>} `AgoraRTC`; undefined where this server does not have it. */
export function loadAgora() {
  const address = "./agora-rtc-sdk.js";
  loading ??= import(address).then(
    (module) => /** @type {any} */ (globalThis).AgoraRTC ?? module.default,
    () => undefined,
  );
  return loading;
}

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** One participant in one channel. */
export class AgoraChannel {
  #client;
  #pictures;
  /** @type {any[]} */
  #tracks = [];
  /** @type {NetworkQuality} */
  #quality = "unknown";
  /** Why this participant is not heard or seen; empty otherwise. */
  silence = "";
  /** The call may end while joining, or asking for a camera, still goes on. */
  #hasLeft = false;

  /**
   * @param {any} sdk `AgoraRTC`.
   * @param {HTMLElement} pictures Where the pictures go.
   * @param {() => void} onExpiring The token is about to run out.
   */
  constructor(sdk, pictures, onExpiring) {
    this.sdk = sdk;
    this.#pictures = pictures;
    this.#client = sdk.createClient({ mode: "rtc", codec: "vp8" });
    this.#client.on("user-published", (/** @type {any} */ user, /** @type {string} */ kind) =>
      this.#subscribe(user, kind),
    );
    this.#client.on("network-quality", (/** @type {any} */ quality) => {
      const level = Math.max(quality.uplinkNetworkQuality, quality.downlinkNetworkQuality);
      this.#quality = levels[level] ?? "unknown";
    });
    this.#client.on("token-privilege-will-expire", onExpiring);
  }

  /**
   * @param {{ appId: string, channelId: string, token: string, uid: number, isVideo: boolean }} access
   */
  async join({ appId, channelId, token, uid, isVideo }) {
    await this.#client.join(appId, channelId, token, uid);
    if (this.#hasLeft) return this.#client.leave();
    await this.#publish(isVideo).catch((error) => {
      this.silence = messageOf(error);
    });
  }

  /**
   * Without a microphone or a camera, or leave to use them, one can listen all the same.
   * @param {boolean} isVideo
   */
  async #publish(isVideo) {
    this.#tracks = isVideo
      ? await this.sdk.createMicrophoneAndCameraTracks()
      : [await this.sdk.createMicrophoneAudioTrack()];
    if (this.#hasLeft) return this.#close();
    await this.#client.publish(this.#tracks);
    if (isVideo) this.#tracks[1]?.play(this.#place("own"));
  }

  /**
   * @param {any} user
   * @param {string} kind
   */
  async #subscribe(user, kind) {
    await this.#client.subscribe(user, kind);
    if (kind === "video") user.videoTrack.play(this.#place("peer"));
    else user.audioTrack.play();
  }

  /** @param {string} whose */
  #place(whose) {
    const place = document.createElement("div");
    place.className = `picture picture-${whose}`;
    this.#pictures.querySelector(`.picture-${whose}`)?.remove();
    this.#pictures.append(place);
    return place;
  }

  /**
   * What the SDK has measured.
   * @returns {Sample}
   */
  sample() {
    /** @type {Sample} */
    const sample = { networkQuality: this.#quality };
    const roundTripTime = this.#client.getRTCStats()?.RTT;
    if (roundTripTime > 0) sample.roundTripTime = roundTripTime;
    const remote = Object.values(this.#client.getRemoteAudioStats?.() ?? {});
    const losses = remote
      .map((/** @type {any} */ each) => each.packetLossRate)
      .filter(Number.isFinite);
    // In percent in some versions of the SDK, a share in others.
    const loss = losses.length ? Math.max(...losses) : undefined;
    if (loss !== undefined) sample.packetLossRate = loss > 1 ? loss / 100 : loss;
    return sample;
  }

  /** @param {string} token */
  renew(token) {
    return this.#client.renewToken(token);
  }

  #close() {
    for (const track of this.#tracks) track.close();
    this.#tracks = [];
  }

  async leave() {
    this.#hasLeft = true;
    this.#close();
    this.#pictures.replaceChildren();
    await this.#client.leave();
  }
}

/**
 * Milliseconds and shares as such a network has them.
 * @type {Record<string, [number, number]>}
 */
const simulated = {
  excellent: [28, 0.001],
  good: [60, 0.008],
  poor: [180, 0.04],
  bad: [420, 0.11],
  veryBad: [900, 0.28],
};

/**
 * A sample of a network that is only played.
 * @param {NetworkQuality} networkQuality
 * @returns {Sample}
 */
export function simulatedSample(networkQuality) {
  const [time, loss] = simulated[networkQuality] ?? simulated.good;
  const around = (/** @type {number} */ value) => value * (0.85 + Math.random() * 0.3);
  return {
    networkQuality,
    roundTripTime: Math.round(around(time)),
    packetLossRate: Math.round(around(loss) * 10_000) / 10_000,
  };
}
