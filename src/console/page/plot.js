// A line plot of values by uid. Lines differ in colour and in dashes, their ends carry their uids,
// and a slider that lies over the plot reads the values at a step: by pointer, touch or keys.

import { el, keyed, mark, say, svg } from "./dom.js";
import { clock, count, fixed } from "./format.js";

const HEIGHT = 232;
const MARGIN = { top: 10, right: 74, bottom: 26, left: 40 };
const LABEL = 14;
const COLOURS = 8;

// Which uid has which colour. The best have one and keep it as long as they are among the best; the
// plots and the table share it.
export class Palette {
  constructor() {
    this.slots = new Map();
  }

  // `uids`, the best first.
  assign(uids) {
    const best = uids.slice(0, COLOURS);
    for (const uid of this.slots.keys()) if (!best.includes(uid)) this.slots.delete(uid);
    const taken = new Set(this.slots.values());
    const free = Array.from({ length: COLOURS }, (_, n) => n + 1).filter((slot) => !taken.has(slot));
    for (const uid of [...best].sort((a, b) => a - b))
      if (!this.slots.has(uid)) this.slots.set(uid, free.shift());
  }

  name(uid) {
    const slot = this.slots.get(uid);
    return slot ? `line-${slot}` : "line-rest";
  }
}

export class Plot {
  // `axis`: what runs along x. `held`: a value holds until the next, as weights do.
  constructor(section, { title, axis, digits, held, empty, palette, kindOf }) {
    Object.assign(this, { title, axis, digits, held, palette, kindOf, points: [], at: null });
    this.picture = svg("svg", { role: "img", height: HEIGHT, width: "100%" });
    this.slider = el("input", {
      type: "range",
      class: "scrub",
      min: 0,
      max: 0,
      step: 1,
      "aria-label": `${title}: read the values at a ${axis}`,
    });
    this.frame = el("div", { class: "plot" }, this.picture, this.slider);
    this.readout = el("p", { class: "readout" });
    this.legend = el("ul", { class: "legend", "aria-label": `${title}: lines` });
    this.none = el("p", { class: "none" }, empty);
    section.append(this.none, this.frame, this.readout, this.legend);
    this.slider.addEventListener("input", () => this.read(Number(this.slider.value)));
    this.slider.addEventListener("focus", () => this.read(Number(this.slider.value)));
    this.slider.addEventListener("blur", () => this.read(null));
    this.frame.addEventListener("pointermove", (event) => this.point(event));
    this.frame.addEventListener(
      "pointerleave",
      () => document.activeElement !== this.slider && this.read(null),
    );
    new ResizeObserver(() => this.draw()).observe(this.frame);
    this.show(false);
  }

  update(points) {
    const last = points.at(-1);
    const kinds = this.kindOf();
    const colours = [...this.palette.slots].join();
    const stamp = `${points.length} ${points[0]?.x} ${last?.x} ${last?.time} ${kinds.size} ${colours}`;
    if (stamp === this.stamp) return;
    this.stamp = stamp;
    this.points = points;
    this.show(points.length > 0);
    this.draw();
  }

  show(any) {
    this.none.hidden = any;
    this.frame.hidden = this.readout.hidden = this.legend.hidden = !any;
  }

  // The uids of all points, the highest at the end first.
  uids() {
    const all = new Set(this.points.flatMap((point) => [...point.values.keys()]));
    const last = this.points.at(-1).values;
    return [...all].sort((a, b) => (last.get(b) ?? 0) - (last.get(a) ?? 0) || a - b);
  }

  draw() {
    const width = this.frame.clientWidth;
    if (!this.points.length || width < 120) return;
    const uids = this.uids();
    const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
    const [first, last] = [this.points[0].x, this.points.at(-1).x];
    // No spread into arguments: there may be hundreds of thousands of values.
    let highest = 0;
    for (const { values } of this.points)
      for (const value of values.values()) if (value > highest) highest = value;
    const ticks = round(highest || 1);
    const top = ticks.at(-1);
    this.x = (x) =>
      MARGIN.left + (last === first ? inner.width : ((x - first) / (last - first)) * inner.width);
    this.y = (value) => MARGIN.top + inner.height * (1 - value / top);
    const frame = svg("g", { class: "axis" });
    for (const tick of ticks) {
      frame.append(
        svg("line", {
          class: tick === 0 ? "base" : "grid",
          x1: MARGIN.left,
          x2: MARGIN.left + inner.width,
          y1: this.y(tick),
          y2: this.y(tick),
        }),
        svg(
          "text",
          { x: MARGIN.left - 8, y: this.y(tick) + 4, "text-anchor": "end" },
          fixed(tick, decimals(ticks[1])),
        ),
      );
    }
    for (const tick of along(first, last, inner.width)) {
      frame.append(svg("text", { x: this.x(tick), y: HEIGHT - 7, "text-anchor": "middle" }, count(tick)));
    }
    frame.append(
      svg("text", { class: "unit", x: width - 2, y: HEIGHT - 7, "text-anchor": "end" }, this.axis),
    );
    const coloured = uids.filter((uid) => this.palette.slots.has(uid));
    const rest = uids.filter((uid) => !this.palette.slots.has(uid));
    // The best last, so that they lie on top; all others are one path, for there may be hundreds.
    const lines = coloured
      .slice()
      .reverse()
      .map((uid) => svg("path", { class: `line ${this.palette.name(uid)}`, d: this.trace(uid) }));
    if (rest.length)
      lines.unshift(svg("path", { class: "line line-rest", d: rest.map((uid) => this.trace(uid)).join("") }));
    this.cursor = svg("line", {
      class: "cursor",
      y1: MARGIN.top,
      y2: MARGIN.top + inner.height,
      visibility: "hidden",
    });
    this.picture.replaceChildren(
      frame,
      ...lines,
      ...this.labels(coloured.length ? coloured : uids),
      this.cursor,
    );
    mark(this.picture, "viewBox", `0 0 ${width} ${HEIGHT}`);
    mark(
      this.picture,
      "aria-label",
      `${this.title} from ${this.axis} ${count(first)} to ${count(last)}. At the end: ${this.list(this.points.at(-1))}`,
    );
    mark(this.slider, "max", this.points.length - 1);
    if (document.activeElement !== this.slider) this.slider.value = this.points.length - 1;
    this.read(this.at === null ? null : Math.min(this.at, this.points.length - 1));
    this.name(coloured, rest.length);
  }

  trace(uid) {
    let path = "";
    let before = null;
    for (const point of this.points) {
      const value = point.values.get(uid) ?? (this.held ? 0 : null);
      if (value === null) continue;
      const [x, y] = [this.x(point.x).toFixed(1), this.y(value).toFixed(1)];
      if (before === null) path = `M${x},${y}`;
      else path += this.held ? `H${x}V${y}` : `L${x},${y}`;
      before = y;
    }
    // A single point is a short line.
    return this.points.length === 1 && before !== null ? `${path}h-8` : path;
  }

  // Uids at their lines' ends; those at one height share a label, those too near move apart.
  labels(uids) {
    const last = this.points.at(-1).values;
    const groups = [];
    for (const uid of uids) {
      if (!last.has(uid) && !this.held) continue;
      const y = this.y(last.get(uid) ?? 0);
      const near = groups.find((group) => Math.abs(group.y - y) < 2);
      if (near) near.uids.push(uid);
      else groups.push({ y, uids: [uid] });
    }
    groups.sort((a, b) => a.y - b.y);
    let floor = MARGIN.top + 2;
    for (const group of groups) {
      group.at = Math.max(group.y, floor);
      floor = group.at + LABEL;
    }
    let ceiling = HEIGHT - MARGIN.bottom + 2;
    for (const group of groups.reverse()) {
      group.at = Math.min(group.at, ceiling);
      ceiling = group.at - LABEL;
    }
    const end = this.x(this.points.at(-1).x);
    return groups.flatMap((group) => {
      const named = group.uids.slice(0, 5).join(" ") + (group.uids.length > 5 ? " …" : "");
      return [
        svg("path", {
          class: "lead",
          d: `M${end + 3},${group.y.toFixed(1)} L${end + 11},${group.at.toFixed(1)}`,
        }),
        svg("circle", {
          class: `dot ${this.palette.name(group.uids[0])}`,
          cx: end,
          cy: group.y.toFixed(1),
          r: 3,
        }),
        svg("text", { class: "label", x: end + 14, y: (group.at + 4).toFixed(1) }, named),
      ];
    });
  }

  name(uids, rest) {
    const kinds = this.kindOf();
    const entries = uids.map((uid) => ({
      key: uid,
      line: this.palette.name(uid),
      text: kinds.get(uid) ? `${uid} ${kinds.get(uid)}` : `uid ${uid}`,
    }));
    if (rest) entries.push({ key: "rest", line: "line-rest", text: `${count(rest)} more` });
    keyed(
      this.legend,
      entries.sort((a, b) => (a.key === "rest") - (b.key === "rest") || a.key - b.key),
      (entry) => entry.key,
      () =>
        el(
          "li",
          {},
          svg("svg", { width: 26, height: 10, "aria-hidden": "true" }, svg("path", { d: "M1,5 H25" })),
          el("bdi"),
        ),
      (item, entry) => {
        mark(item.querySelector("path"), "class", `line ${entry.line}`);
        say(item.lastChild, entry.text.slice(0, 24));
      },
    );
  }

  list(point, most = COLOURS) {
    const values = [...point.values].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const shown = values.slice(0, most).map(([uid, value]) => `uid ${uid} ${fixed(value, this.digits)}`);
    return shown.join(", ") + (values.length > most ? `, ${values.length - most} more` : "");
  }

  point(event) {
    if (!this.x || event.pointerType === "touch") return;
    const x = event.clientX - this.frame.getBoundingClientRect().left;
    let nearest = 0;
    this.points.forEach((point, n) => {
      if (Math.abs(this.x(point.x) - x) < Math.abs(this.x(this.points[nearest].x) - x)) nearest = n;
    });
    this.read(nearest);
  }

  read(at) {
    this.at = at;
    const n = at ?? this.points.length - 1;
    const point = this.points[n];
    if (!point || !this.cursor) return;
    const x = this.x(point.x);
    mark(this.cursor, "visibility", at === null ? "hidden" : "visible");
    mark(this.cursor, "x1", x);
    mark(this.cursor, "x2", x);
    const values = [...point.values].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, COLOURS);
    this.readout.replaceChildren(
      el("b", {}, `${this.axis} ${count(point.x)}`),
      ` at ${clock(point.time)}`,
      ...values.map(([uid, value]) =>
        el(
          "span",
          {},
          el("i", { class: `swatch ${this.palette.name(uid)}`, "aria-hidden": "true" }),
          `${uid} `,
          el("b", {}, fixed(value, this.digits)),
        ),
      ),
    );
    mark(this.slider, "aria-valuetext", `${this.axis} ${point.x}: ${this.list(point)}`);
  }
}

// Ticks from 0 to at least `highest`.
function round(highest) {
  const raw = highest / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((size) => size >= raw * 0.999);
  return Array.from({ length: Math.ceil(highest / step - 0.001) + 1 }, (_, n) => n * step);
}

// As many decimals as the distance of ticks needs.
const decimals = (step) =>
  [2, 3, 4, 5].find((digits) => Math.abs(step - Number(step.toFixed(digits))) < step * 1e-6) ?? 6;

// Whole numbers between two, at a distance that can be read.
function along(first, last, width) {
  if (first === last) return [first];
  const raw = Math.max(1, (last - first) / Math.max(2, Math.floor(width / 60)));
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(
    1,
    [1, 2, 5, 10].map((n) => n * power).find((size) => size >= raw),
  );
  const ticks = [];
  for (let tick = Math.ceil(first / step) * step; tick <= last; tick += step) ticks.push(tick);
  return ticks;
}
