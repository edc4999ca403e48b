// The figures of the operator's view: what each is in the metrics, how it is written, and when it is bad.

import { number, text } from "../text.js";

/** @typedef {import("./prometheus.js").Reading} Reading */

/**
 * @typedef {object} Figure
 * @property {string} key Of its name.
 * @property {(now: Reading, before: Reading) => number | undefined} measure
 * @property {(value: number) => string} words
 * @property {(now: Reading, before: Reading) => string} [note]
 * @property {(value: number, now: Reading) => boolean} [isBad]
 * @property {number} [least] What the chart shows at least, in the figure's unit: 1 by default.
 * @property {boolean} [isOptional] Of a program that not every installation runs.
 */

const durations = "chattrix_request_duration_seconds";
const requests = "chattrix_requests_total";
const eventAge = "chattrix_signaling_event_age_seconds";
/** Unanswered calls ring for a minute: ending them this late is noticed. */
const badLagSeconds = 5;
/** So that a chart of nothing much is no mountain range. */
const leastSeconds = 0.02;
const leastShare = 0.05;
/** An invitation that arrives this late is time in which it does not ring. */
const badAgeSeconds = 1;

/**
 * @param {string} name
 * @param {Record<string, string>} [labels]
 */
const gauge = (name, labels) => (/** @type {Reading} */ now) => now.value(name, labels);

/**
 * @param {string} name
 * @returns {(now: Reading, before: Reading) => number}
 */
const rate = (name) => (now, before) => now.rise(before, name) / now.secondsSince(before);

/** @param {number} value */
const whole = (value) => number(value);

/** @param {number} value */
const perSecond = (value) => text("ops.perSecond", { value: number(value, 1) });

/** @param {number} seconds */
const milliseconds = (seconds) => `${number(seconds * 1000, seconds < 0.01 ? 1 : 0)} ms`;

/**
 * The share of requests that the server could not serve.
 * @param {Reading} now
 * @param {Reading} before
 */
function errorShare(now, before) {
  const all = now.rise(before, requests);
  return all ? now.rise(before, requests, { status: "5xx" }) / all : 0;
}

/** @param {Reading} now */
const wantedWorkers = (now) => now.value("chattrix_workers", { state: "wanted" }) ?? 0;

/** @type {Figure[]} */
export const figures = [
  { key: "ops.live", measure: gauge("chattrix_live_calls"), words: whole },
  {
    key: "ops.sockets",
    measure: gauge("chattrix_signaling_connections"),
    words: whole,
    note: (now) => text("ops.users", { count: whole(now.value("chattrix_signaling_users") ?? 0) }),
  },
  { key: "ops.rate", measure: rate(requests), words: perSecond },
  {
    key: "ops.errors",
    measure: errorShare,
    words: (value) => `${number(value * 100, 2)} %`,
    least: leastShare,
    note: (now) =>
      text("ops.errors.all", { count: whole(now.value(requests, { status: "5xx" }) ?? 0) }),
    isBad: (value) => value > 0,
  },
  {
    key: "ops.p95",
    measure: (now, before) => now.quantile(before, durations, 0.95),
    words: milliseconds,
    least: leastSeconds,
    note: () => text("ops.p95.time"),
  },
  {
    key: "ops.age",
    measure: (now, before) => now.quantile(before, eventAge, 0.95),
    words: milliseconds,
    least: leastSeconds,
    note: () => text("ops.age.of"),
    isBad: (value) => value > badAgeSeconds,
  },
  {
    key: "ops.lag",
    measure: gauge("chattrix_sweep_lag_seconds"),
    words: milliseconds,
    least: leastSeconds,
    note: () => text("ops.lag.of"),
    isBad: (value) => value > badLagSeconds,
  },
  {
    key: "ops.workers",
    measure: gauge("chattrix_workers", { state: "running" }),
    words: whole,
    note: (now) => {
      const crashes = whole(now.value("chattrix_worker_crashes_total") ?? 0);
      const wanted = text("ops.workers.of", { wanted: whole(wantedWorkers(now)) });
      return `${wanted} · ${text("ops.crashes", { count: crashes })}`;
    },
    isBad: (value, now) => value < wantedWorkers(now),
  },
  {
    key: "ops.webhooks",
    measure: gauge("chattrix_webhooks_pending"),
    words: whole,
    note: (now) => {
      const lag = milliseconds(now.value("chattrix_webhook_lag_seconds") ?? 0);
      const count = whole(now.value("chattrix_webhooks_given_up_total") ?? 0);
      return text("ops.webhooks.of", { lag, count });
    },
    isBad: (_, now) => (now.value("chattrix_webhook_lag_seconds") ?? 0) > badLagSeconds,
    isOptional: true,
  },
  { key: "ops.events", measure: rate("chattrix_signaling_events_total"), words: perSecond },
];
