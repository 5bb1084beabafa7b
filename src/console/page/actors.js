// The actors: a drawing of who sends what to whom, and a table with the same facts.

import { Card, size } from "./card.js";
import { byId, el, keyed, mark, say, svg } from "./dom.js";
import { age, count, words } from "./format.js";
import { line } from "./foreign.js";
import { column, layout } from "./graph.js";
import { digest, healthWord, message } from "./topology.js";

// Below this the actors stand in a column.
const NARROW = 620;
const HEADS = [
  "Actor",
  "Health",
  "Restarts",
  "Mailboxes: in use of places (most so far)",
  "Idle",
  "Last crash",
];
const NUMBERS = ["Restarts", "Idle"];
export class Actors {
  constructor() {
    this.box = el("div", {
      class: "scroll graph",
      tabindex: "0",
      role: "region",
      "aria-label": "Drawing of the actors",
    });
    this.body = el("tbody");
    this.table = el(
      "table",
      {},
      el("caption", { class: "unseen" }, "Actors, their health, and how full their mailboxes are"),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          HEADS.map((title) =>
            el("th", { scope: "col", class: NUMBERS.includes(title) ? "number" : null }, title),
          ),
        ),
      ),
      this.body,
    );
    const legend = el(
      "ul",
      { class: "legend" },
      sample("push", "sent, not answered"),
      sample("ask", "asked, and waited for"),
      sample("wire", "over HTTP"),
    );
    byId("actors").append(
      this.box,
      legend,
      el(
        "details",
        { class: "as-table" },
        el("summary", {}, "The same as a table"),
        el(
          "div",
          { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Table of the actors" },
          this.table,
        ),
      ),
    );
    this.shape = "";
    new ResizeObserver(() => this.redraw()).observe(this.box);
  }

  update({ state }) {
    if (!state || state === this.state) return;
    this.state = state;
    const { nodes, edges } = digest(state);
    this.digested = { nodes, edges };
    const shape = JSON.stringify([
      nodes.map((node) => [node.id, node.label, [...node.ports.keys()]]),
      edges.map((edge) => [edge.key, edge.ports]),
    ]);
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
    const sized = nodes.map((node) => ({ id: node.id, ...size(node) }));
    const width = this.box.clientWidth - 4;
    if (this.drawn === `${this.shape} ${width}`) return;
    this.drawn = `${this.shape} ${width}`;
    const drawing = width < NARROW ? column(sized, edges, { width }) : layout(sized, edges, { width });
    const arrow = (id) =>
      svg(
        "marker",
        {
          id,
          viewBox: "0 0 8 8",
          refX: 1,
          refY: 4,
          markerWidth: 7,
          markerHeight: 7,
          orient: "auto",
          markerUnits: "userSpaceOnUse",
          class: id,
        },
        svg("path", { d: "M0,0.5 L7.5,4 L0,7.5 z" }),
      );
    this.lines = new Map();
    this.cards = new Map();
    const picture = svg(
      "svg",
      {
        role: "img",
        width: drawing.width + 4,
        height: drawing.height + 4,
        viewBox: `-2 -2 ${drawing.width + 4} ${drawing.height + 4}`,
      },
      svg("defs", {}, arrow("arrow"), arrow("arrow-busy")),
    );
    for (const edge of drawing.edges) {
      const path = svg("path", { class: `edge ${edge.verb}`, d: edge.path, "marker-end": "url(#arrow)" });
      this.lines.set(edge.key, path);
      picture.append(path);
    }
    for (const place of drawing.nodes) {
      const card = new Card(
        nodes.find((node) => node.id === place.id),
        place,
      );
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
    const health = ill.length
      ? ill.map((node) => `${node.label} ${healthWord(node.health)}`).join(", ")
      : "all running";
    say(
      byId("actors-count"),
      `${count(state.actors.length)} actors, ${health}, ${count(restarts)} ${restarts === 1 ? "restart" : "restarts"}`,
    );
    if (this.picture)
      mark(
        this.picture,
        "aria-label",
        `Graph of ${inside.length} actors and groups, ${health}. The table below has the same facts.`,
      );
  }

  fillTable(state) {
    const ports = new Map();
    for (const port of state.ports) ports.set(port.to, [...(ports.get(port.to) ?? []), port]);
    keyed(
      this.body,
      state.actors,
      (actor) => actor.name,
      () =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }),
          el("td"),
          el("td", { class: "number" }),
          el("td"),
          el("td", { class: "number" }),
          el("td", { class: "wide" }),
        ),
      (row, actor) => {
        const [name, health, restarts, boxes, idle, crash] = row.children;
        say(name, words(actor.name));
        mark(health, "data-health", actor.health);
        say(health, healthWord(actor.health));
        say(restarts, count(actor.restarts));
        say(
          boxes,
          (ports.get(actor.name) ?? [])
            .map((port) => `${message(port.port)} ${port.in_use}/${port.capacity} (${port.peak})`)
            .join(", ") || "none",
        );
        say(idle, age(actor.idle_s));
        const told = actor.last_crash ?? "";
        if (crash.told !== told) {
          crash.told = told;
          crash.replaceChildren(told ? line(told, 300) : "none");
        }
      },
    );
  }
}

function sample(verb, text) {
  return el(
    "li",
    {},
    svg(
      "svg",
      { width: 30, height: 10, "aria-hidden": "true" },
      svg("path", { class: `edge busy ${verb}`, d: "M1,5 H29" }),
    ),
    text,
  );
}
