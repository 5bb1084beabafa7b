// A layered drawing of a directed graph, from left to right: layers by the longest path, edges over
// several layers held apart by bends, order by the mean of the neighbours (Sugiyama's method, in
// its simplest form). Pure; actors.js draws what comes of it.

// nodes: [{id, width, height}], edges: [{from, to, …}]. Gives each node x and y (of its top left
// corner), each edge a `path`, and the drawing's size.
export function layout(nodes, edges, { width, nodeGap = 18, bendGap = 12, minGap = 36, maxGap = 110 }) {
  const places = new Map(nodes.map((node) => [node.id, { ...node, bend: false, in: [], out: [] }]));
  const links = forward(places, edges);
  const layers = rank(places, links);
  const chains = links.map((link) => bend(link, layers));
  order(layers);
  const size = place(layers, { width, nodeGap, bendGap, minGap, maxGap });
  chains.forEach((chain, n) => (links[n].chain = chain));
  return { ...size, layers, nodes: nodes.map((node) => places.get(node.id)), edges: draw(links) };
}

// The same for a narrow place: everyone in one column, in the order of the layers; edges are arcs on
// the right of it, the farther they go the wider, and those that run back are on the left.
export function column(nodes, edges, { width, nodeGap = 16, reach = 92, side = 30 }) {
  const layers = layout(nodes, edges, { width }).layers;
  const places = new Map();
  let y = 0;
  for (const node of layers.flat().filter((place) => !place.bend)) {
    places.set(node.id, { ...node, x: side, y, row: places.size, ends: { right: [], left: [] } });
    y += node.height + nodeGap;
  }
  const arcs = edges.map((edge) => {
    const [from, to] = [places.get(edge.from), places.get(edge.to)];
    const flank = to.row < from.row ? "left" : "right";
    const arc = { edge, from, to, flank, span: Math.abs(to.row - from.row) };
    from.ends[flank].push({ arc, other: to, end: "start" });
    to.ends[flank].push({ arc, other: from, end: "end" });
    return arc;
  });
  for (const place of places.values()) {
    for (const ends of Object.values(place.ends)) {
      // Those from above meet it above those that go down; the widest are outermost.
      const turn = ({ other }) =>
        other.row < place.row ? -1 / (place.row - other.row) : 1 / (other.row - place.row);
      ends.sort((a, b) => (turn(b) * turn(a) < 0 ? turn(a) - turn(b) : turn(b) - turn(a)));
      const step = Math.min(9, (place.height - 12) / Math.max(1, ends.length));
      ends.forEach(
        ({ arc, end }, n) => (arc[end] = place.y + place.height / 2 + (n - (ends.length - 1) / 2) * step),
      );
    }
  }
  const longest = Math.max(1, ...arcs.map((arc) => arc.span));
  const right = (place) => side + place.width;
  const drawn = arcs.map(({ edge, from, to, flank, span, start, end }) => {
    const [a, b, way] = flank === "right" ? [right(from), right(to), 1] : [side, side, -1];
    const out = flank === "right" ? Math.max(a, b) + 12 + (reach - 12) * (span / longest) : side * 0.2;
    const head = b + 7 * way;
    const bow = Math.min(14, Math.abs(end - start) / 2) * Math.sign(end - start || 1);
    const corner = (x, y, then) => `Q${at([x, y])} ${at(then)}`;
    const path =
      `M${at([a, start])}L${at([out - 10 * way, start])}${corner(out, start, [out, start + bow])}` +
      `L${at([out, end - bow])}${corner(out, end, [out - 10 * way, end])}L${at([head, end])}`;
    return { ...edge, path };
  });
  const widest = Math.max(...nodes.map((node) => node.width));
  return { width: side + widest + reach + 4, height: y - nodeGap, nodes: [...places.values()], edges: drawn };
}

// Edges that close a circle are turned round while places are sought.
function forward(places, edges) {
  const out = new Map([...places.keys()].map((id) => [id, []]));
  const entered = new Set(edges.map((edge) => edge.to));
  for (const edge of edges) out.get(edge.from).push(edge);
  const [open, done, links] = [new Set(), new Set(), []];
  const visit = (id) => {
    open.add(id);
    for (const edge of out.get(id)) {
      const back = open.has(edge.to);
      links.push({ edge, back, from: back ? edge.to : edge.from, to: back ? edge.from : edge.to });
      if (!back && !done.has(edge.to)) visit(edge.to);
    }
    open.delete(id);
    done.add(id);
  };
  const ids = [...places.keys()];
  for (const id of [...ids.filter((id) => !entered.has(id)), ...ids]) if (!done.has(id)) visit(id);
  return links.map((link) => ({ ...link, from: places.get(link.from), to: places.get(link.to) }));
}

function rank(places, links) {
  const depth = (place, seen = new Set()) => {
    if (place.layer !== undefined) return place.layer;
    if (seen.has(place)) return 0;
    seen.add(place);
    const before = links.filter((link) => link.to === place && link.from !== place);
    place.layer = before.length ? 1 + Math.max(...before.map((link) => depth(link.from, seen))) : 0;
    return place.layer;
  };
  for (const place of places.values()) depth(place);
  // Whoever nothing leads to stands right before the first that it leads to.
  for (const place of places.values()) {
    const after = links.filter((link) => link.from === place && link.to !== place);
    const led = links.some((link) => link.to === place);
    if (!led && after.length) place.layer = Math.max(0, Math.min(...after.map((link) => link.to.layer)) - 1);
  }
  const layers = [];
  for (const place of places.values()) (layers[place.layer] ??= []).push(place);
  return Array.from(layers, (layer) => layer ?? []);
}

// The places that a link runs through, with a bend in each layer between its ends.
function bend(link, layers) {
  const chain = [link.from];
  for (let layer = link.from.layer + 1; layer < link.to.layer; layer += 1) {
    const place = { bend: true, width: 0, height: 0, layer, in: [], out: [] };
    layers[layer].push(place);
    chain.push(place);
  }
  chain.push(link.to);
  for (let n = 1; n < chain.length; n += 1) {
    chain[n - 1].out.push(chain[n]);
    chain[n].in.push(chain[n - 1]);
  }
  return chain;
}

const mean = (values, otherwise) =>
  values.length ? values.reduce((a, b) => a + b, 0) / values.length : otherwise;

function order(layers) {
  const settle = (layer) => layer.forEach((place, n) => (place.rank = n));
  layers.forEach(settle);
  let [best, fewest] = [layers.map((layer) => [...layer]), crossings(layers)];
  for (let sweep = 0; sweep < 24; sweep += 1) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) {
      const wish = new Map(
        layer.map((place) => [
          place,
          mean(
            (down ? place.in : place.out).map((other) => other.rank),
            place.rank,
          ),
        ]),
      );
      layer.sort((a, b) => wish.get(a) - wish.get(b) || a.rank - b.rank);
      settle(layer);
    }
    const now = crossings(layers);
    if (now < fewest) [best, fewest] = [layers.map((layer) => [...layer]), now];
  }
  best.forEach((layer, n) => {
    layers[n].splice(0, layers[n].length, ...layer);
    settle(layers[n]);
  });
}

function crossings(layers) {
  let total = 0;
  for (const layer of layers) {
    const pairs = layer.flatMap((place) => place.out.map((other) => [place.rank, other.rank]));
    pairs.forEach(([a, b], n) => {
      for (const [c, d] of pairs.slice(n + 1)) if ((a - c) * (b - d) < 0) total += 1;
    });
  }
  return total;
}

function place(layers, { width, nodeGap, bendGap, minGap, maxGap }) {
  const widths = layers.map((layer) => Math.max(0, ...layer.map((place) => place.width)));
  const used = widths.reduce((a, b) => a + b, 0);
  const gaps = Math.max(1, layers.length - 1);
  const gap = Math.min(maxGap, Math.max(minGap, (width - used) / gaps));
  let x = 0;
  layers.forEach((layer, n) => {
    for (const place of layer) {
      place.x = x + (place.bend ? 0 : (widths[n] - place.width) / 2);
      place.across = place.bend ? widths[n] : place.width;
    }
    x += widths[n] + gap;
  });
  const apart = (a, b) => (a.height + b.height) / 2 + (a.bend && b.bend ? bendGap : nodeGap);
  for (const layer of layers) {
    let y = 0;
    layer.forEach((place, n) => {
      y += n ? apart(layer[n - 1], place) : 0;
      place.middle = y;
    });
  }
  for (let sweep = 0; sweep < 40; sweep += 1) {
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) spread(layer, apart);
  }
  const all = layers.flat();
  const top = Math.min(...all.map((place) => place.middle - place.height / 2));
  const bottom = Math.max(...all.map((place) => place.middle + place.height / 2));
  for (const place of all) {
    place.middle -= top;
    place.y = place.middle - place.height / 2;
  }
  return { width: x - gap, height: bottom - top };
}

// Everyone as near to the mean of their neighbours as the order and the distances allow: those who
// would be too near form a group that moves together.
function spread(layer, apart) {
  const groups = [];
  let offset = 0;
  layer.forEach((place, n) => {
    offset = n ? offset + apart(layer[n - 1], place) : 0;
    const neighbours = [...place.in, ...place.out];
    const weight = place.bend ? 0.6 : 1;
    let group = {
      places: [place],
      weight,
      wish:
        weight *
        (mean(
          neighbours.map((other) => other.middle),
          place.middle,
        ) -
          offset),
    };
    place.offset = offset;
    while (groups.length && groups.at(-1).wish / groups.at(-1).weight > group.wish / group.weight) {
      const before = groups.pop();
      group = {
        places: [...before.places, ...group.places],
        weight: before.weight + group.weight,
        wish: before.wish + group.wish,
      };
    }
    groups.push(group);
  });
  for (const group of groups)
    for (const place of group.places) place.middle = group.wish / group.weight + place.offset;
}

// Edges meet a node's side beside each other, in the order of where they come from.
function draw(links) {
  const sides = new Map();
  const meet = (place, side, link, other) => {
    const key = `${place.id} ${side}`;
    if (!sides.has(key)) sides.set(key, []);
    sides.get(key).push({ link, place, other });
  };
  for (const link of links) {
    meet(link.from, "right", link, link.chain[1]);
    meet(link.to, "left", link, link.chain.at(-2));
  }
  for (const [key, ends] of sides) {
    ends.sort((a, b) => a.other.middle - b.other.middle);
    const { place } = ends[0];
    const step = Math.min(14, (place.height - 16) / Math.max(1, ends.length));
    ends.forEach((end, n) => {
      const y = place.middle + (n - (ends.length - 1) / 2) * step;
      if (key.endsWith("right")) end.link.start = y;
      else end.link.end = y;
    });
  }
  return links.map((link) => ({ ...link.edge, path: curve(link) }));
}

function curve({ chain, start, end, back }) {
  // A gap for the arrow's head, which is at the left end of an edge that runs back.
  const head = 7;
  const first = chain[0].x + chain[0].across + (back ? head : 0);
  const last = chain.at(-1).x - (back ? 0 : head);
  const stops = [[first, start]];
  for (const place of chain.slice(1, -1))
    stops.push([place.x, place.middle], [place.x + place.across, place.middle]);
  stops.push([last, end]);
  if (back) stops.reverse();
  let path = `M${at(stops[0])}`;
  for (let n = 1; n < stops.length; n += 1) {
    const [[ax, ay], [bx, by]] = [stops[n - 1], stops[n]];
    const mid = (ax + bx) / 2;
    path += ay === by ? `L${at(stops[n])}` : `C${at([mid, ay])} ${at([mid, by])} ${at(stops[n])}`;
  }
  return path;
}

const at = ([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`;
