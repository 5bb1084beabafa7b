// One actor in the drawing: its health, its restarts, and how full each of its mailboxes is.

import { mark, say, svg } from "./dom.js";
import { count } from "./format.js";
import { healthWord } from "./topology.js";

const [TITLE, ROW, FOOT] = [30, 17, 8];

// Health by shape as well as by colour.
const SHAPES = {
  running: "M5,0 a5,5 0 1,0 0.01,0 z",
  backing_off: "M5,0 L10.5,10 L-0.5,10 z",
  stopped: "M0,0 H10 V10 H0 z M2.5,2.5 V7.5 H7.5 V2.5 z",
  gave_up: "M0,2 L2,0 L5,3 L8,0 L10,2 L7,5 L10,8 L8,10 L5,7 L2,10 L0,8 L3,5 z",
};

// How large a node's card is.
export const size = (node) => ({
  width: node.outside && !node.ports.size ? 86 : 178,
  height: TITLE + node.ports.size * ROW + (node.ports.size ? FOOT : 0),
});

export class Card {
  constructor(node, place) {
    this.element = svg(
      "g",
      {
        class: node.outside ? "node outside" : "node",
        transform: `translate(${place.x.toFixed(1)},${place.y.toFixed(1)})`,
      },
      svg("rect", { class: "card", width: place.width, height: place.height, rx: 7 }),
    );
    this.shape = svg("path", { class: "health", transform: "translate(11,10)" });
    this.title = svg("text", {
      class: "name",
      x: node.outside ? place.width / 2 : 28,
      y: 19.5,
      "text-anchor": node.outside && !node.ports.size ? "middle" : "start",
    });
    this.badge = svg("text", { class: "badge", x: place.width - 10, y: 19.5, "text-anchor": "end" });
    this.hint = svg("title");
    if (!node.outside) this.element.append(this.shape);
    this.element.append(this.hint, this.title, this.badge);
    this.rows = new Map();
    let y = TITLE;
    for (const name of node.ports.keys()) {
      const [from, length] = [place.width - 92, 36];
      const row = {
        length,
        depth: svg("rect", { class: "depth", x: from, y: y + 3.5, height: 5, width: 0, rx: 2.5 }),
        text: svg("text", { class: "slots", x: place.width - 10, y: y + 10, "text-anchor": "end" }),
      };
      this.rows.set(name, row);
      this.element.append(
        svg("text", { class: "port", x: 11, y: y + 10 }, name.length > 13 ? `${name.slice(0, 12)}…` : name),
        svg("rect", { class: "groove", x: from, y: y + 3.5, height: 5, width: length, rx: 2.5 }),
        row.depth,
        row.text,
      );
      y += ROW;
    }
  }

  update(node) {
    say(this.title, node.label);
    mark(this.element, "data-health", node.health);
    mark(this.shape, "d", SHAPES[node.health] ?? SHAPES.stopped);
    const ill = node.health === "running" ? "" : healthWord(node.health);
    say(this.badge, ill || (node.restarts > 0 ? `↻ ${count(node.restarts)}` : ""));
    const ports = [...node.ports.values()].map(
      (port) => `${port.name} ${port.inUse}/${port.capacity}, most so far ${port.peak}`,
    );
    say(
      this.hint,
      [`${node.label}: ${healthWord(node.health)}, ${count(node.restarts)} restarts`, ...ports].join("\n"),
    );
    for (const port of node.ports.values()) {
      const row = this.rows.get(port.name);
      if (!row) continue;
      const full = port.capacity > 0 ? Math.min(1, port.inUse / port.capacity) : 0;
      mark(row.depth, "width", (full * row.length).toFixed(1));
      row.depth.classList.toggle("full", full >= 1);
      say(
        row.text,
        port.capacity > 99 ? `${port.inUse}/${port.capacity}` : `${port.inUse} / ${port.capacity}`,
      );
    }
  }
}
