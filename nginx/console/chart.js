// Charts as SVG, each with its figures in words beside it or as its name.

import { svg } from "./dom.js";

const width = 300;

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;

/**
 * A line over time that moves with each value; the colours come from the style sheet.
 * @param {{ height?: number, capacity?: number, floor?: number, ceiling?: number | null, least?: number,
 *   steps?: number[] }} options
 *   `ceiling` null: the highest value shown, or `least` above the floor where that is higher. `steps` are values with a line across.
 */
export function lineChart({
  height = 64,
  capacity = 60,
  floor = 0,
  ceiling = null,
  least = 1,
  steps = [],
} = {}) {
  /** @type {(number | null)[]} */
  const values = [];
  const area = svg("path", { class: "chart-area" });
  const line = svg("path", { class: "chart-line" });
  const point = svg("circle", { class: "chart-point", r: 3, cx: -9, cy: -9 });
  const grid = svg("g", { class: "chart-grid" });
  const element = svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img" },
    grid,
    area,
    line,
    point,
  );
  const top = () =>
    ceiling ?? Math.max(floor + least, ...values.map((value) => value ?? floor)) * 1.1;
  const y = (/** @type {number} */ value) =>
    round(height - 4 - ((value - floor) / (top() - floor)) * (height - 8));
  const x = (/** @type {number} */ index) =>
    round(width - 5 - (values.length - 1 - index) * ((width - 10) / (capacity - 1)));

  for (const step of steps)
    grid.append(svg("line", { x1: 0, x2: width, y1: y(step), y2: y(step) }));

  return {
    element,
    get length() {
      return values.length;
    },
    /** @param {number | null} value null where nothing was measured: the line has a gap. */
    push(value) {
      values.push(value);
      if (values.length > capacity) values.shift();
      const pieces = stretches(values).map(([first, last]) => {
        const points = [];
        for (let index = first; index <= last; index++)
          points.push(`${x(index)} ${y(values[index] ?? floor)}`);
        return { from: x(first), to: x(last), points: points.join("L") };
      });
      // A stretch of one is a line to itself, which its round ends make a dot.
      line.setAttribute("d", pieces.map(({ points, to }) => `M${points}H${to}`).join(""));
      area.setAttribute(
        "d",
        pieces
          .map(({ from, to, points }) => `M${from} ${height}L${points}L${to} ${height}z`)
          .join(""),
      );
      point.toggleAttribute("hidden", value === null);
      point.setAttribute("cx", String(x(values.length - 1)));
      point.setAttribute("cy", String(y(value ?? floor)));
    },
  };
}

/**
 * First and last index of each run without a gap.
 * @param {(number | null)[]} values
 */
function stretches(values) {
  /** @type {[number, number][]} */
  const found = [];
  values.forEach((value, index) => {
    if (value === null) return;
    const open = found[found.length - 1];
    if (open && open[1] === index - 1) open[1] = index;
    else found.push([index, index]);
  });
  return found;
}

/**
 * A ring of shares.
 * @param {{ name: string, value: number }[]} parts `name` gives the class, and with it the colour.
 */
export function ringChart(parts) {
  const radius = 40;
  const length = 2 * Math.PI * radius;
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  const element = svg("svg", { class: "ring-chart", viewBox: "0 0 100 100", role: "img" });
  element.append(svg("circle", { class: "ring-back", cx: 50, cy: 50, r: radius }));
  let done = 0;
  for (const { name, value } of parts) {
    if (!value) continue;
    const share = (value / total) * length;
    element.append(
      svg("circle", {
        class: `ring-part part-${name}`,
        cx: 50,
        cy: 50,
        r: radius,
        "stroke-dasharray": `${round(share)} ${round(length - share)}`,
        "stroke-dashoffset": round(length / 4 - done),
      }),
    );
    done += share;
  }
  return element;
}

/**
 * A bar of shares.
 * @param {{ name: string, value: number }[]} parts
 */
export function barChart(parts) {
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  const element = svg("svg", {
    class: "bar-chart",
    viewBox: `0 0 ${width} 14`,
    role: "img",
    preserveAspectRatio: "none",
  });
  element.append(svg("rect", { class: "ring-back", width, height: 14 }));
  let done = 0;
  for (const { name, value } of parts) {
    if (!value) continue;
    const share = (value / total) * width;
    element.append(
      svg("rect", { class: `part-${name}`, x: round(done), width: round(share), height: 14 }),
    );
    done += share;
  }
  return element;
}
