// The console: takes what the program sends, and draws what has changed once a frame.

import { Actors } from "./actors.js";
import { Connection } from "./connection.js";
import { Conversations } from "./conversations.js";
import { byId } from "./dom.js";
import { Miners } from "./miners.js";
import { Overview, announce } from "./overview.js";
import { Palette, Plot } from "./plot.js";
import { Record } from "./record.js";
import { Trouble } from "./trouble.js";

const record = new Record();
const palette = new Palette();
const kindOf = () => record.kinds;
const overview = new Overview();
const scores = new Plot(byId("scores"), {
  title: "Scores",
  axis: "step",
  digits: 3,
  held: false,
  palette,
  kindOf,
  empty: "No step has been scored yet.",
});
const weights = new Plot(byId("weights"), {
  title: "Weights",
  axis: "block",
  digits: 3,
  held: true,
  palette,
  kindOf,
  empty: "No weights have been set yet.",
});
const views = [new Conversations(palette), new Miners(palette), new Actors(), new Trouble()];

let frame = null;

function soon() {
  frame ??= requestAnimationFrame(() => {
    frame = null;
    draw();
  });
}

function draw() {
  palette.assign(best());
  overview.update(record);
  scores.update(record.scores);
  weights.update(record.weights);
  for (const view of views) view.update(record);
  overview.title(connection);
}

// Uids, those of the highest scores first.
function best() {
  const known = record.scores.at(-1)?.values ?? new Map();
  const rest = (record.state?.miners ?? [])
    .filter((miner) => !known.has(miner.uid))
    .map((miner) => [miner.uid, miner.score ?? -1]);
  return [...known, ...rest].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([uid]) => uid);
}

const connection = new Connection("events", {
  state(state) {
    if (record.takeState(state)) announce("The program was started anew.");
    soon();
  },
  history(history) {
    record.takeHistory(history);
    soon();
  },
  journal(event, id) {
    record.takeEvent(event, id);
    soon();
  },
  missed(missed) {
    record.takeMissed(missed);
    soon();
  },
  changed(now) {
    overview.connection(now);
    overview.title(now);
  },
});
