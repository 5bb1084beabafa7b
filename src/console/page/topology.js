// The actors and ports of a state as a graph. Pure.

import { words } from "./format.js";

const HEALTH = {
  running: "running",
  backing_off: "restarting soon",
  stopped: "stopped",
  gave_up: "given up",
};
const BADNESS = ["running", "stopped", "backing_off", "gave_up"];
// What goes over HTTP is no port; without it the miners of a local network would hang in the air.
const WIRE = { from: "dendrite", to: "miners", verb: "wire", ports: [] };

const isMiner = (name) => /:\d+$/.test(name);

export const message = (port) => port.slice(port.lastIndexOf(".") + 1);
export const healthWord = (health) => HEALTH[health] ?? words(health);

// Actors and ports as nodes and edges; the miners of a local network are one node.
export function digest(state) {
  const nodes = new Map();
  const place = (name) => (isMiner(name) ? "miners" : name);
  const node = (id) => {
    if (!nodes.has(id))
      nodes.set(id, {
        id,
        label: words(id),
        outside: true,
        health: "running",
        restarts: 0,
        members: new Set(),
        ports: new Map(),
      });
    return nodes.get(id);
  };
  for (const port of state.ports) for (const from of port.from) node(place(from));
  for (const actor of state.actors) {
    const found = node(place(actor.name));
    found.outside = false;
    found.restarts += actor.restarts;
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
