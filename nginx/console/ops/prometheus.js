// Prometheus' text format (prometheus.io, "Exposition formats", 0.0.4), and what can be told from two
// readings of it.

/** @typedef {{ labels: Record<string, string>, value: number }} Sample */

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const label = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export class Reading {
  /** @type {Map<string, Sample[]>} */
  #samples = new Map();
  at = performance.now();

  /** @param {string} page */
  constructor(page) {
    for (const each of page.split("\n")) {
      const [, name, labels = "", value] = each.match(line) ?? [];
      if (!name) continue;
      const pairs = [...labels.matchAll(label)].map(([, key, text]) => [key, text]);
      const sample = { labels: Object.fromEntries(pairs), value: Number(value) };
      this.#samples.set(name, [...(this.#samples.get(name) ?? []), sample]);
    }
  }

  /**
   * @param {string} name
   * @param {Record<string, string>} [labels] All that have these are added up.
   * @returns {number | undefined} undefined where there is none.
   */
  value(name, labels = {}) {
    const wanted = Object.entries(labels);
    const matching = (this.#samples.get(name) ?? []).filter((sample) =>
      wanted.every(([key, text]) => sample.labels[key] === text),
    );
    return matching.length ? matching.reduce((sum, { value }) => sum + value, 0) : undefined;
  }

  /**
   * How much a counter has risen since an earlier reading; a restart begins at 0 again.
   * @param {Reading} earlier
   * @param {string} name
   * @param {Record<string, string>} [labels]
   */
  rise(earlier, name, labels) {
    const [before, now] = [earlier.value(name, labels) ?? 0, this.value(name, labels) ?? 0];
    return now >= before ? now - before : now;
  }

  /** @param {Reading} earlier */
  secondsSince(earlier) {
    return (this.at - earlier.at) / 1000;
  }

  /**
   * A quantile of a histogram since an earlier reading: linear within a bucket, as Prometheus has it.
   * @param {Reading} earlier
   * @param {string} name
   * @param {number} share 0-1.
   * @returns {number | undefined} undefined where nothing was counted.
   */
  quantile(earlier, name, share) {
    const samples = this.#samples.get(`${name}_bucket`) ?? [];
    const bounds = [...new Set(samples.map(({ labels }) => labels.le))];
    const counts = bounds.map((le) => this.rise(earlier, `${name}_bucket`, { le }));
    const total = counts[counts.length - 1];
    if (!total) return undefined;
    const index = counts.findIndex((count) => count >= share * total);
    const lower = index ? Number(bounds[index - 1]) : 0;
    const upper = Number(bounds[index]);
    if (!Number.isFinite(upper)) return lower;
    const below = index ? counts[index - 1] : 0;
    return lower + (upper - lower) * ((share * total - below) / (counts[index] - below));
  }
}
