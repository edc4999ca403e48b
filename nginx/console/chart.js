// Charts as SVG, each with its figures in words beside it or as its name.

import { svg } from "./dom.js";

const width = 300;

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;

/**
 * A line over time that moves with each value; the colours come from the style sheet.
 * @param {{ height?: number, capacity?: number, floor?: number, ceiling?: number | null, steps?: number[] }} options
 *   `ceiling` null: the highest value shown. `steps` are values with a line across.
 */
export function lineChart({
  height = 64,
  capacity = 60,
  floor = 0,
  ceiling = null,
  steps = [],
} = {}) {
  /** @type {number[]} */
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
  const top = () => ceiling ?? Math.max(floor + 1, ...values) * 1.1;
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
    /** @param {number} value */
    push(value) {
      values.push(value);
      if (values.length > capacity) values.shift();
      const points = values.map((each, index) => `${x(index)} ${y(each)}`);
      line.setAttribute("d", `M${points.join("L")}`);
      area.setAttribute(
        "d",
        `M${x(0)} ${height}L${points.join("L")}L${x(values.length - 1)} ${height}z`,
      );
      point.setAttribute("cx", String(x(values.length - 1)));
      point.setAttribute("cy", String(y(value)));
    },
  };
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
