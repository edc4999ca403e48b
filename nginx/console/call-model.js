// What a phone knows of its calls. Answers to requests and events of the socket come in any order, so each
// only ever moves a call forward (contract 5), and whichever comes second changes nothing.

/** @typedef {import("./chattrix.js").Frame} Frame */

/**
 * @typedef {object} Call
 * @property {string} callId
 * @property {string} [channelId]
 * @property {string} [peerId] Missing until an invitation, an answer or the server's list tells it.
 * @property {string} [peerName]
 * @property {"audio" | "video"} [callType]
 * @property {boolean} [isOutgoing]
 * @property {string} status
 * @property {string} [expiresAt]
 * @property {string | null} [startTime] When talking began.
 * @property {string | null} [endReason] Also `elsewhere`, for a call answered by another device.
 * @property {number} [durationSeconds]
 */

const order = [
  "unknown",
  "initiating",
  "ringing",
  "connecting",
  "connected",
  "disconnecting",
  "over",
];
const terminal = new Set(["ended", "missed", "rejected", "failed", "over"]);

/** @param {string} status */
const rank = (status) => (terminal.has(status) ? order.length : order.indexOf(status));

/**
 * Without what nobody has told yet.
 * @param {Partial<Call>} call
 * @returns {any}
 */
const told = (call) =>
  Object.fromEntries(Object.entries(call).filter(([, value]) => value != null));

/** @param {Call} call */
export const isOver = (call) => terminal.has(call.status);

export class CallModel {
  #userId;
  /** @type {Map<string, Call>} */
  #calls = new Map();
  /**
   * The call that the screen is about: a live one, or the last one that was.
   * @type {Call | null}
   */
  current = null;
  /**
   * Calls that another device of the user is in.
   * @type {Set<string>}
   */
  elsewhere = new Set();

  /** @param {string} userId */
  constructor(userId) {
    this.#userId = userId;
  }

  /** Takes the current call off the screen, if it is over. */
  dismiss() {
    if (this.current && isOver(this.current)) this.current = null;
  }

  /**
   * Takes what REST says of a call: the answer to initiate, to GET /calls/{callId} or /calls/active.
   * @param {any} details
   */
  adopt(details) {
    const isOutgoing = details.callerId === this.#userId;
    this.merge(details.callId, {
      channelId: details.channelId,
      peerId: isOutgoing ? details.calleeId : details.callerId,
      peerName: (isOutgoing ? details.calleeName : details.callerName)?.trim() || undefined,
      callType: details.callType,
      isOutgoing,
      status: details.status,
      expiresAt: details.expiresAt,
      startTime: details.startTime ?? null,
      endReason: details.endReason,
      durationSeconds: details.durationSeconds,
    });
  }

  /**
   * @param {string} callId
   * @param {Partial<Call>} news Without `status`, or with an earlier one, only what is missing is taken.
   */
  merge(callId, news) {
    const known = this.#calls.get(callId) ?? { callId, status: "unknown" };
    const isForward = rank(news.status ?? "unknown") > rank(known.status);
    const call = isForward ? { ...known, ...told(news) } : { ...news, ...told(known) };
    this.#calls.set(callId, call);
    const isNext = call.peerId && !isOver(call) && (!this.current || isOver(this.current));
    if (isNext || callId === this.current?.callId) this.current = call;
  }

  /**
   * Takes an event. What happened before the connection was made only matters to calls that are known: one
   * that rings still is the server's active call.
   * @param {Frame} frame
   */
  take({ type, data, timestamp, replayed }) {
    if (replayed && !this.#calls.has(data?.callId)) return;
    switch (type) {
      case "call_invitation":
        return this.#invited(data);
      case "call_ringing":
        return this.merge(data.callId, { status: "ringing" });
      case "call_accepted":
        return this.merge(data.callId, { status: "connecting", channelId: data.channelId });
      case "call_status_updated":
        return this.merge(data.callId, {
          status: data.status,
          startTime: data.status === "connected" ? timestamp : undefined,
        });
      case "call_answered_elsewhere":
        // Replayed to a device that was opened later and knows already: the call goes on.
        if (this.elsewhere.has(data.callId) && data.outcome === "accepted") return;
        return this.merge(data.callId, { status: "over", endReason: "elsewhere" });
      case "call_rejected":
        return this.merge(data.callId, { status: "rejected", endReason: data.reason });
      case "call_timeout":
        return this.merge(data.callId, { status: "missed", endReason: "timeout" });
      case "call_ended": {
        const { endReason, durationSeconds } = data;
        return this.merge(data.callId, { status: "ended", endReason, durationSeconds });
      }
    }
  }

  /** @param {any} data */
  #invited(data) {
    this.merge(data.callId, {
      status: "ringing",
      channelId: data.channelId,
      peerId: data.callerId,
      peerName: data.callerName?.trim() || undefined,
      callType: data.callType,
      isOutgoing: false,
      expiresAt: data.expiresAt,
    });
  }
}
