// The actors: a drawing of who sends what to whom, and a table with the same facts.

import { byId, el, keyed, mark, say, svg } from "./dom.js";
import { age, count, words } from "./format.js";
import { line } from "./foreign.js";
import { column, layout } from "./graph.js";

const WIDTH = 178;
// Below this the actors stand in a column.
const NARROW = 620;
const [TITLE, ROW, FOOT] = [30, 17, 8];
const HEALTH = { running: "running", backing_off: "restarting soon", stopped: "stopped", gave_up: "given up" };
const HEADS = ["Actor", "Health", "Restarts", "Mailboxes: in use of places (most so far)", "Idle", "Last crash"];
const NUMBERS = ["Restarts", "Idle"];
const BADNESS = ["running", "stopped", "backing_off", "gave_up"];
// What goes over HTTP is no port; without it the miners of a local network would hang in the air.
const WIRE = { from: "dendrite", to: "miners", verb: "wire", ports: [] };

const isMiner = (name) => /:\d+$/.test(name);
const message = (port) => port.slice(port.lastIndexOf(".") + 1);
const healthWord = (health) => HEALTH[health] ?? words(health);

// Actors and ports as nodes and edges; the miners of a local network are one node.
export function digest(state) {
  const nodes = new Map();
  const place = (name) => (isMiner(name) ? "miners" : name);
  const node = (id) => {
    if (!nodes.has(id)) nodes.set(id, { id, label: words(id), outside: true, health: "running", restarts: 0, crash: null, members: new Set(), well: 0, ports: new Map() });
    return nodes.get(id);
  };
  for (const port of state.ports) for (const from of port.from) node(place(from));
  for (const actor of state.actors) {
    const found = node(place(actor.name));
    found.outside = false;
    found.restarts += actor.restarts;
    found.crash ??= actor.last_crash;
    if (BADNESS.indexOf(actor.health) > BADNESS.indexOf(found.health)) found.health = actor.health;
    if (isMiner(actor.name)) found.members.add(actor.name.slice(actor.name.lastIndexOf(":")));
  }
  const edges = new Map();
  for (const port of state.ports) {
    const to = node(place(port.to));
    const name = message(port.port);
    const sum = to.ports.get(name) ?? { name, inUse: 0, capacity: 0, peak: 0 };
    sum.inUse += port.in_use;
    sum.capacity += port.capacity;
    sum.peak += port.peak;
    to.ports.set(name, sum);
    for (const from of port.from.map(place)) {
      if (from === to.id) continue;
      const key = `${from} ${to.id} ${port.verb}`;
      const edge = edges.get(key) ?? { key, from, to: to.id, verb: port.verb, ports: [] };
      if (!edge.ports.includes(name)) edge.ports.push(name);
      edges.set(key, edge);
    }
  }
  const miners = nodes.get("miners");
  if (miners) miners.label = `miners (${miners.members.size})`;
  if (miners && nodes.has("dendrite")) edges.set("wire", { ...WIRE, key: "wire" });
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

export class Actors {
  constructor() {
    this.box = el("div", { class: "scroll graph", tabindex: "0", role: "region", "aria-label": "Drawing of the actors" });
    this.body = el("tbody");
    this.table = el("table", {},
      el("caption", { class: "unseen" }, "Actors, their health, and how full their mailboxes are"),
      el("thead", {}, el("tr", {}, HEADS.map((title) => el("th", { scope: "col", class: NUMBERS.includes(title) ? "number" : null }, title)))),
      this.body);
    const legend = el("ul", { class: "legend" },
      sample("push", "sent, not answered"), sample("ask", "asked, and waited for"), sample("wire", "over HTTP"));
    byId("actors").append(this.box, legend,
      el("details", { class: "as-table" }, el("summary", {}, "The same as a table"),
        el("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Table of the actors" }, this.table)));
    this.shape = "";
    new ResizeObserver(() => this.redraw()).observe(this.box);
  }

  update({ state }) {
    if (!state || state === this.state) return;
    this.state = state;
    const { nodes, edges } = digest(state);
    this.digested = { nodes, edges };
    const shape = JSON.stringify([nodes.map((node) => [node.id, node.label, [...node.ports.keys()]]), edges.map((edge) => [edge.key, edge.ports])]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.redraw();
    }
    this.fill(nodes, edges);
    this.tell(nodes, state);
    this.fillTable(state);
  }

  redraw() {
    if (!this.digested || !this.box.clientWidth) return;
    const { nodes, edges } = this.digested;
    const sized = nodes.map((node) => ({ id: node.id, width: node.outside && !node.ports.size ? 86 : WIDTH, height: TITLE + node.ports.size * ROW + (node.ports.size ? FOOT : 0) }));
    const width = this.box.clientWidth - 4;
    if (this.drawn === `${this.shape} ${width}`) return;
    this.drawn = `${this.shape} ${width}`;
    const drawing = width < NARROW ? column(sized, edges, { width }) : layout(sized, edges, { width });
    const arrow = (id) => svg("marker", { id, viewBox: "0 0 8 8", refX: 1, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto", markerUnits: "userSpaceOnUse", class: id }, svg("path", { d: "M0,0.5 L7.5,4 L0,7.5 z" }));
    this.lines = new Map();
    this.cards = new Map();
    const picture = svg("svg", { role: "img", width: drawing.width + 4, height: drawing.height + 4, viewBox: `-2 -2 ${drawing.width + 4} ${drawing.height + 4}` },
      svg("defs", {}, arrow("arrow"), arrow("arrow-busy")));
    for (const edge of drawing.edges) {
      const path = svg("path", { class: `edge ${edge.verb}`, d: edge.path, "marker-end": "url(#arrow)" });
      this.lines.set(edge.key, path);
      picture.append(path);
    }
    for (const place of drawing.nodes) {
      const card = new Card(nodes.find((node) => node.id === place.id), place);
      this.cards.set(place.id, card);
      picture.append(card.element);
    }
    this.picture = picture;
    this.box.replaceChildren(picture);
    this.fill(nodes, edges);
    this.tell(nodes, this.state);
  }

  fill(nodes, edges) {
    for (const node of nodes) this.cards?.get(node.id)?.update(node);
    const ports = new Map(nodes.map((node) => [node.id, node.ports]));
    for (const edge of edges) {
      const busy = edge.ports.some((name) => ports.get(edge.to).get(name)?.inUse > 0);
      const path = this.lines?.get(edge.key);
      if (!path) continue;
      path.classList.toggle("busy", busy);
      mark(path, "marker-end", busy ? "url(#arrow-busy)" : "url(#arrow)");
    }
  }

  tell(nodes, state) {
    const inside = nodes.filter((node) => !node.outside);
    const ill = inside.filter((node) => node.health !== "running");
    const restarts = state.actors.reduce((sum, actor) => sum + actor.restarts, 0);
    const health = ill.length ? ill.map((node) => `${node.label} ${healthWord(node.health)}`).join(", ") : "all running";
    say(byId("actors-count"), `${count(state.actors.length)} actors, ${health}, ${count(restarts)} ${restarts === 1 ? "restart" : "restarts"}`);
    if (this.picture) mark(this.picture, "aria-label", `Graph of ${inside.length} actors and groups, ${health}. The table below has the same facts.`);
  }

  fillTable(state) {
    const ports = new Map();
    for (const port of state.ports) ports.set(port.to, [...(ports.get(port.to) ?? []), port]);
    keyed(this.body, state.actors, (actor) => actor.name,
      () => el("tr", {}, el("th", { scope: "row" }), el("td"), el("td", { class: "number" }), el("td"), el("td", { class: "number" }), el("td", { class: "wide" })),
      (row, actor) => {
        const [name, health, restarts, boxes, idle, crash] = row.children;
        say(name, words(actor.name));
        mark(health, "data-health", actor.health);
        say(health, healthWord(actor.health));
        say(restarts, count(actor.restarts));
        say(boxes, (ports.get(actor.name) ?? []).map((port) => `${message(port.port)} ${port.in_use}/${port.capacity} (${port.peak})`).join(", ") || "none");
        say(idle, age(actor.idle_s));
        const told = actor.last_crash ?? "";
        if (crash.told !== told) {
          crash.told = told;
          crash.replaceChildren(told ? line(told, 300) : "none");
        }
      });
  }
}

function sample(verb, text) {
  return el("li", {}, svg("svg", { width: 30, height: 10, "aria-hidden": "true" }, svg("path", { class: `edge busy ${verb}`, d: "M1,5 H29" })), text);
}

// Health by shape as well as by colour.
const SHAPES = {
  running: "M5,0 a5,5 0 1,0 0.01,0 z",
  backing_off: "M5,0 L10.5,10 L-0.5,10 z",
  stopped: "M0,0 H10 V10 H0 z M2.5,2.5 V7.5 H7.5 V2.5 z",
  gave_up: "M0,2 L2,0 L5,3 L8,0 L10,2 L7,5 L10,8 L8,10 L5,7 L2,10 L0,8 L3,5 z",
};

class Card {
  constructor(node, place) {
    this.element = svg("g", { class: node.outside ? "node outside" : "node", transform: `translate(${place.x.toFixed(1)},${place.y.toFixed(1)})` },
      svg("rect", { class: "card", width: place.width, height: place.height, rx: 7 }));
    this.shape = svg("path", { class: "health", transform: "translate(11,10)" });
    this.title = svg("text", { class: "name", x: node.outside ? place.width / 2 : 28, y: 19.5, "text-anchor": node.outside && !node.ports.size ? "middle" : "start" });
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
        svg("rect", { class: "groove", x: from, y: y + 3.5, height: 5, width: length, rx: 2.5 }), row.depth, row.text);
      y += ROW;
    }
  }

  update(node) {
    say(this.title, node.label);
    mark(this.element, "data-health", node.health);
    mark(this.shape, "d", SHAPES[node.health] ?? SHAPES.stopped);
    const ill = node.health === "running" ? "" : healthWord(node.health);
    say(this.badge, ill || (node.restarts > 0 ? `↻ ${count(node.restarts)}` : ""));
    const ports = [...node.ports.values()].map((port) => `${port.name} ${port.inUse}/${port.capacity}, most so far ${port.peak}`);
    say(this.hint, [`${node.label}: ${healthWord(node.health)}, ${count(node.restarts)} restarts`, ...ports].join("\n"));
    for (const port of node.ports.values()) {
      const row = this.rows.get(port.name);
      if (!row) continue;
      const full = port.capacity > 0 ? Math.min(1, port.inUse / port.capacity) : 0;
      mark(row.depth, "width", (full * row.length).toFixed(1));
      row.depth.classList.toggle("full", full >= 1);
      say(row.text, port.capacity > 99 ? `${port.inUse}/${port.capacity}` : `${port.inUse} / ${port.capacity}`);
    }
  }
}
