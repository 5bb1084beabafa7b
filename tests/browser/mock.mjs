// A stand-in for the console's server: serves the real page, and says what a test wants it to.
// `node mock.mjs [PORT]` plays a local network, to look at while the page is worked on.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const PAGE = new URL("../../src/console/page/", import.meta.url);
const TYPES = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Characters of a text that the program sends (feed.rs).
const TEXT = 16_384;

const KINDS = ["agent", "model", "copier", "echo", "phrase", "slow", "dead"];
const key = (uid) =>
  `5${"HGT5JkBuW5hYxsP5yrJDF24bD7SBjumi22jbGP2X6ZC25JvDk"[uid]}${"NKAYn5PdSHQeUisHHcs9GedhdTb6T1MLr83RqiwKDZmgmAB"}`.slice(
    0,
    48,
  );
const port = (name, from, verb, capacity, inUse = 0, peak = capacity > 1 ? 2 : 1) => ({
  port: name,
  from,
  to: name.slice(0, name.lastIndexOf(".")),
  verb,
  in_use: inUse,
  capacity,
  peak,
});

export function firstState() {
  const actor = (name) => ({ name, health: "running", restarts: 0, last_crash: null, idle_s: 0.2 });
  const inside = [
    "model_worker",
    "tool_fetcher",
    "chain_watch",
    "task_maker",
    "persona_agent",
    "dendrite",
    "reward_scorer",
    "weight_setter",
  ];
  const uids = KINDS.map((_, n) => n + 1);
  return {
    run_id: "1764422188-1f3c9a20",
    version: "0.1.0",
    role: "localnet",
    uptime_s: 12.3,
    netuid: 1,
    hotkey: "5FyKvh2idoCMqkDZTNGnpmLtgqGR6bzuhY1gf27tUFBEyjnp",
    uid: 0,
    ready: true,
    checks: [
      { name: "blocks", ok: true, says: "block 123 came 0.4 s ago" },
      { name: "model", ok: true, says: "it answered 0.1 s ago" },
      { name: "weights", ok: true, says: "set 3 blocks ago, 40 is the limit" },
    ],
    steps: 0,
    conversations: { in_flight: 0, most: 4 },
    actors: [...inside, ...uids.flatMap((uid) => [`axon:${uid}`, `assistant:${uid}`])].map(actor),
    ports: [
      port("task_maker.Tick", ["pacer"], "push", 4, 1),
      port("tool_fetcher.FetchContext", ["task_maker", ...uids.map((uid) => `assistant:${uid}`)], "ask", 8),
      port(
        "model_worker.Generate",
        ["task_maker", "persona_agent", ...uids.map((uid) => `assistant:${uid}`)],
        "ask",
        16,
        3,
        9,
      ),
      port("model_worker.Embed", ["reward_scorer"], "ask", 8),
      port("persona_agent.TaskReady", ["task_maker"], "push", 4),
      port("persona_agent.TurnScored", ["reward_scorer"], "push", 4),
      port("dendrite.Challenge", ["persona_agent"], "push", 4, 1),
      port("reward_scorer.Round", ["dendrite"], "push", 4, 2, 3),
      port("weight_setter.StepScored", ["reward_scorer"], "push", 4),
      port("weight_setter.BlockArrived", ["chain_watch"], "push", 1),
      port("weight_setter.Standings", ["program"], "ask", 4),
      port("weight_setter.SetWeights", ["program"], "ask", 1),
      ...uids.flatMap((uid) => [
        port(`assistant:${uid}.Respond`, [`axon:${uid}`], "ask", 8, uid === 2 ? 1 : 0),
        port(`axon:${uid}.Admit`, [`http:${uid}`], "ask", 24),
        port(`axon:${uid}.Knock`, [`http:${uid}`], "ask", 16),
      ]),
    ],
    chain: { block: 123, head_age_s: 0.4, neurons: 8, weights_age_blocks: 3 },
    model: {
      id: "smollm2-135m-instruct",
      decoded_tokens: 48_211,
      hit_ratio: 0.331,
      decoded_per_s: 31.4,
      prefilled_per_s: 182.2,
    },
    miners: uids.map((uid) => ({
      uid,
      hotkey: key(uid),
      kind: KINDS[uid - 1],
      score: null,
      weight: null,
      incentive: 0,
      stake: 0,
      address: uid === 7 ? null : `127.0.0.1:${40_000 + uid * 917}`,
      asked: 0,
      answered: 0,
    })),
  };
}

export class Mock {
  constructor({ tick = 1_000, state = firstState(), history = { scores: [], weights: [] } } = {}) {
    Object.assign(this, { tick, state, history, id: 0, past: [], viewers: new Set() });
  }

  // On the same port again after `stop`, if `port` says so.
  async start(port = 0) {
    this.server = createServer((request, response) => this.answer(request, response));
    await new Promise((done, failed) => this.server.once("error", failed).listen(port, "127.0.0.1", done));
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}/`;
    this.timer = setInterval(() => this.beat(), this.tick);
    return this;
  }

  async answer(request, response) {
    const path = new URL(request.url, "http://localhost").pathname;
    const name = path === "/" ? "index.html" : path.slice(1);
    response.setHeader("Content-Security-Policy", POLICY);
    response.setHeader("X-Content-Type-Options", "nosniff");
    if (request.method !== "GET") return response.writeHead(405).end();
    if (path === "/events") return this.view(response);
    if (!/^[a-z]+\.(html|css|js)$/.test(name)) return response.writeHead(404).end();
    try {
      const body = await readFile(fileURLToPath(new URL(name, PAGE)));
      response.writeHead(200, { "Content-Type": TYPES[name.split(".")[1]] }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  }

  view(response) {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write("retry: 1000\n\n");
    this.viewers.add(response);
    response.on("close", () => this.viewers.delete(response));
    if (this.silent) return;
    send(response, "state", this.state);
    send(response, "history", this.history);
    for (const { id, event } of this.past) send(response, "journal", event, id);
  }

  beat() {
    this.state.uptime_s += this.tick / 1_000;
    this.onbeat?.();
    this.all("state", this.state);
  }

  all(name, data, id) {
    if (this.silent) return;
    for (const viewer of this.viewers) send(viewer, name, data, id);
  }

  // One event of the journal.
  journal(event) {
    const told = cut({ time: Date.now() / 1000, ...event });
    this.id += 1;
    this.past.push({ id: this.id, event: told });
    if (this.past.length > 256) this.past.shift();
    this.all("journal", told, this.id);
  }

  // An orderly end.
  finish(reason) {
    this.all("bye", { reason });
    for (const viewer of this.viewers) viewer.end();
    clearInterval(this.timer);
    return new Promise((done) => this.server.close(done));
  }

  stop() {
    clearInterval(this.timer);
    for (const viewer of this.viewers) viewer.destroy();
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }
}

// As the program cuts each text of an event.
function cut(value) {
  if (typeof value === "string") {
    const characters = value.length > TEXT ? [...value] : [];
    const more = characters.length - TEXT;
    return more > 0 ? `${characters.slice(0, TEXT).join("")}… (${more} characters more)` : value;
  }
  if (Array.isArray(value)) return value.map(cut);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, cut(part)]));
}

function send(response, name, data, id) {
  response.write(`event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`);
}

// A whole turn: `completions` in the order of the uids 1, 2, …
export function turn(
  mock,
  conversation,
  {
    task = "qa",
    source = "wikipedia",
    topic = "Tides",
    challenge,
    reference = "The Moon.",
    completions,
    rewards,
    number = 0,
    averages,
  },
) {
  const uids = completions.map((_, n) => n + 1);
  const worth = rewards ?? completions.map((_, n) => Number((1 / (n + 1)).toFixed(3)));
  if (number === 0) mock.journal({ event: "task_made", conversation, task, source, topic, query: challenge });
  mock.journal({ event: "challenged", conversation, turn: number, challenge, uids });
  uids.forEach((uid, n) =>
    mock.journal({
      event: "answer_scored",
      conversation,
      turn: number,
      uid,
      hotkey: key(uid),
      reward: worth[n],
    }),
  );
  mock.journal({
    event: "step",
    conversation,
    turn: number,
    task,
    topic,
    context_source: source,
    challenge,
    reference,
    profile: "student",
    mood: "curious",
    tone: "polite",
    uids,
    hotkeys: uids.map(key),
    completions,
    rewards: worth,
    timings: uids.map((uid) => uid * 0.31),
    status_codes: completions.map((text) => (text === "" ? 503 : 200)),
    status_messages: completions.map((text) =>
      text === "" ? "Service unavailable at 127.0.0.1:1/PromptingSynapse" : "Success",
    ),
  });
  mock.state.steps += 1;
  mock.state.miners.forEach((miner, n) => {
    if (n >= uids.length) return;
    miner.asked += 1;
    miner.answered += completions[n] === "" ? 0 : 1;
    miner.score = averages?.[n] ?? (miner.score ?? 0) * 0.9 + worth[n] * 0.1;
  });
  mock.journal({
    event: "averages_moved",
    conversation,
    turn: number,
    steps: mock.state.steps,
    averages: mock.state.miners.slice(0, uids.length).map((miner) => miner.score),
  });
}

export function end(mock, conversation, reason = "completed", cause) {
  mock.journal({
    event: "conversation_ended",
    conversation,
    seconds: 8.4,
    reason,
    ...(cause ? { cause } : {}),
  });
}

export function setWeights(mock) {
  const total = mock.state.miners.reduce((sum, miner) => sum + (miner.score ?? 0), 0) || 1;
  const weights = mock.state.miners.map((miner) => Math.round(((miner.score ?? 0) / total) * 65_535));
  mock.state.miners.forEach((miner, n) => (miner.weight = weights[n] / 65_535));
  mock.weightsSet = mock.state.chain.block;
  mock.state.chain.weights_age_blocks = 0;
  mock.journal({
    event: "weights_set",
    block: mock.state.chain.block,
    uids: mock.state.miners.map((miner) => miner.uid),
    weights,
    error: null,
  });
}

const TALES = [
  [
    "qa",
    "wikipedia",
    "Tidal locking",
    "Can you tell me why we always see the same side of the Moon? I'd love to understand it properly.",
    "The Moon turns once on its axis in the time that it takes to go once around the Earth, because tides have slowed its spin: this is called tidal locking.",
  ],
  [
    "math",
    "maths",
    "algebra",
    "hey, I was wondering how to work this one out, can you solve it?\n\nWhat is the logarithm of 2401 to the base 7?",
    "4",
  ],
  [
    "summarization",
    "wikipedia",
    "Hanseatic League",
    "Please sum up for me what the Hanseatic League was and why it declined.",
    "The Hanseatic League was a network of merchant guilds and market towns in north-western and central Europe; it declined as territorial states grew stronger and trade moved to the Atlantic.",
  ],
  [
    "date_qa",
    "wikipedia",
    "1815",
    "On what date did the event take place: the congress of Vienna signed its final act?",
    "9 June 1815",
  ],
  [
    "debugging",
    "code",
    "ring buffer",
    "My ring buffer loses an element whenever it wraps around. What did I break?\n\nfn push(&mut self, x: T) {\n    self.head += 1;\n    self.items[self.head] = x;\n}",
    "self.items[self.head] = x;\nself.head = (self.head + 1) % N;",
  ],
];

// A local network that has run for a while and goes on.
export function play(mock) {
  let seed = 7;
  const random = () => ((seed = (seed * 48_271) % 2_147_483_647), seed / 2_147_483_647);
  const skill = [0.82, 0.61, 0.05, 0.08, 0.03, 0.74, 0];
  let conversation = 0;
  const tell = (open) => {
    const [task, source, topic, challenge, reference] = TALES[conversation % TALES.length];
    const rewards = skill.map((good) =>
      Math.max(0, Math.min(1, good === 0 ? 0 : good + (random() - 0.5) * 0.34)),
    );
    const completions = [
      reference,
      `I think that ${reference.toLowerCase()}`,
      "",
      challenge,
      "Could you please repeat that?",
      `${reference} (I had to think about it for a while.)`,
      "",
    ];
    completions[2] = completions[0];
    if (open) {
      mock.journal({ event: "task_made", conversation, task, source, topic, query: challenge });
      mock.journal({ event: "challenged", conversation, turn: 0, challenge, uids: [1, 2, 3, 4, 5, 6, 7] });
      for (const uid of [4, 5, 7])
        mock.journal({
          event: "answer_scored",
          conversation,
          turn: 0,
          uid,
          hotkey: key(uid),
          reward: rewards[uid - 1],
        });
    } else {
      turn(mock, conversation, { task, source, topic, challenge, reference, completions, rewards });
      if (conversation % 11 === 5)
        mock.journal({
          event: "organic_answered",
          conversation,
          outcome: "answered",
          uid: 1,
          seconds: 2.2,
          scored: true,
        });
      end(mock, conversation);
    }
    conversation += 1;
  };
  const now = Date.now() / 1000;
  for (let n = 0; n < 120; n += 1) {
    mock.state.chain.block += 2;
    tell(false);
    if (n % 5 === 4) setWeights(mock);
  }
  mock.past.forEach(({ event }, n) => (event.time = now - (mock.past.length - n) * 2.1));
  // What is older than the events that are sent again is in the history.
  mock.history = history(now, skill, random);
  mock.state.miners.forEach((miner) => (miner.incentive = miner.weight));
  mock.state.uptime_s = 2_413;
  mock.journal({
    event: "source_failed",
    source: "wikipedia",
    kind: "article",
    cause: "https://en.wikipedia.org/w/api.php: it did not answer within 10 s",
    retry_in: { secs: 30, nanos: 0 },
  });
  mock.journal({
    event: "actor_crashed",
    actor: "tool_fetcher",
    cause: "a panic: the page has no section",
    restarting_in: { secs: 0, nanos: 100_000_000 },
  });
  mock.state.actors.find((actor) => actor.name === "tool_fetcher").restarts = 1;
  mock.state.actors.find((actor) => actor.name === "tool_fetcher").last_crash =
    "a panic: the page has no section";
  mock.journal({ event: "source_back", source: "wikipedia", kind: "article" });
  conversation += 1;
  mock.journal({
    event: "task_made",
    conversation,
    task: "qa",
    source: "wikipedia",
    topic: "Basalt",
    query: "",
  });
  mock.journal({
    event: "conversation_ended",
    conversation,
    seconds: 31,
    reason: "no_text",
    cause: "the model did not write the challenge within 30 s",
  });
  conversation += 1;
  tell(true);
  mock.state.conversations.in_flight = 1;
  let beats = 0;
  mock.onbeat = () => {
    beats += 1;
    const { chain, model } = mock.state;
    if (beats % 2 === 0) chain.block += 1;
    chain.head_age_s = beats % 2 ? 1.1 : 0.1;
    chain.weights_age_blocks = chain.block - mock.weightsSet;
    model.decoded_per_s = 26 + 12 * Math.sin(beats / 5) + random() * 6;
    model.prefilled_per_s = 170 + random() * 40;
    model.decoded_tokens += Math.round(model.decoded_per_s);
    for (const port of mock.state.ports)
      if (port.capacity > 1)
        port.in_use = Math.floor(random() * random() * (Math.min(port.capacity, 8) + 0.9));
    if (beats % 6 === 0) tell(false);
    if (beats % 30 === 0) setWeights(mock);
  };
}

function history(now, skill, random) {
  const [scores, weights] = [[], []];
  const means = skill.map(() => 0);
  for (let step = 1; step <= 120; step += 1) {
    skill.forEach(
      (good, n) =>
        (means[n] = means[n] * 0.95 + 0.05 * Math.max(0, good === 0 ? 0 : good + (random() - 0.5) * 0.5)),
    );
    const time = now - (120 - step) * 20;
    scores.push({ step, time, scores: Object.fromEntries(means.map((mean, n) => [n + 1, mean])) });
    const total = means.reduce((a, b) => a + b, 0);
    if (step % 5 === 0)
      weights.push({
        block: 123 + step * 2,
        time,
        weights: Object.fromEntries(means.map((mean, n) => [n + 1, mean / total])),
      });
  }
  return { scores, weights };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = new Mock();
  play(mock);
  await mock.start(Number(process.argv[2] ?? 0));
  console.log(mock.url);
}
