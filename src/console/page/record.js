// What the page knows: the last state, and what the journal's events add up to. All of it is
// bounded. No element is touched here.

import { keep } from "./foreign.js";

const MOST = {
  conversations: 100,
  // Characters of all conversations together.
  characters: 8_000_000,
  turns: 32,
  answers: 1_024,
  points: 256,
  trouble: 60,
  seconds: 120,
};

const SHORT = 400;
const list = (value) => (Array.isArray(value) ? value.slice(0, MOST.answers) : []);

export class Record {
  constructor() {
    this.serial = 0;
    this.clear(null);
  }

  clear(runId) {
    this.runId = runId;
    this.state = null;
    this.conversations = new Map();
    this.characters = 0;
    this.scores = [];
    this.weights = [];
    this.trouble = [];
    this.failing = new Map();
    this.weightsError = null;
    this.weightsLost = null;
    this.missed = 0;
    this.lastId = null;
    this.pulse = [];
    this.kinds = new Map();
  }

  // Returns whether this is another process than before.
  takeState(state) {
    const another = this.runId !== null && this.runId !== state.run_id;
    if (this.runId !== state.run_id) this.clear(state.run_id);
    this.state = state;
    for (const miner of state.miners ?? []) this.kinds.set(miner.uid, miner.kind);
    this.pulse.push({
      tokens: state.model?.decoded_per_s ?? 0,
      read: state.model?.prefilled_per_s ?? 0,
      head: state.chain?.head_age_s ?? 0,
      flight: state.conversations?.in_flight ?? 0,
    });
    if (this.pulse.length > MOST.seconds) this.pulse.shift();
    return another;
  }

  takeHistory(history) {
    this.scores = list(history.scores)
      .slice(-MOST.points - 1)
      .map(({ step, time, scores }) => ({ x: step, time, values: byUid(scores) }));
    this.weights = list(history.weights)
      .slice(-MOST.points - 1)
      .map(({ block, time, weights }) => ({ x: block, time, values: byUid(weights) }));
  }

  takeMissed(missed) {
    if (missed > this.missed) this.missed = missed;
    this.loseSight();
  }

  // Events that were seen before a reconnection come again: they are known by their ids.
  takeEvent(event, id) {
    if (id !== null) {
      if (this.lastId !== null && id <= this.lastId) return;
      if (this.lastId !== null && id > this.lastId + 1) this.loseSight();
      this.lastId = id;
    }
    const take = TAKES[event.event];
    if (take) take(this, event);
  }

  // Of a conversation whose end may have been among events that did not come.
  loseSight() {
    for (const conversation of this.conversations.values()) {
      if (!conversation.ended) touch(conversation).unsure = true;
    }
  }

  conversation(event) {
    let found = this.conversations.get(event.conversation);
    if (!found) {
      found = {
        id: event.conversation,
        key: (this.serial += 1),
        began: event.time,
        task: null,
        source: null,
        topic: null,
        query: null,
        organic: false,
        withheld: false,
        turns: new Map(),
        ended: null,
        outcome: null,
        unsure: false,
        characters: 0,
        version: 0,
      };
      this.conversations.set(found.id, found);
      this.forgetOld();
    }
    found.unsure = false;
    return touch(found);
  }

  turn(event) {
    const { turns } = this.conversation(event);
    let turn = turns.get(event.turn);
    if (!turn) {
      turn = {
        number: event.turn,
        challenge: null,
        reference: null,
        persona: null,
        uids: [],
        answers: new Map(),
        closed: false,
      };
      turns.set(event.turn, turn);
      if (turns.size > MOST.turns) turns.delete(turns.keys().next().value);
    }
    return turn;
  }

  text(conversation, value, most) {
    const kept = keep(value, most);
    conversation.characters += kept.text.length;
    this.characters += kept.text.length;
    return kept;
  }

  forgetOld() {
    for (const [id, conversation] of this.conversations) {
      const few = this.conversations.size <= MOST.conversations && this.characters <= MOST.characters;
      if (few || this.conversations.size === 1) return;
      this.characters -= conversation.characters;
      this.conversations.delete(id);
    }
  }

  addTrouble(kind, time, what, cause) {
    const entry = {
      key: (this.serial += 1),
      kind,
      time,
      what: keep(what, SHORT).text,
      cause: keep(cause, SHORT).text,
      over: null,
    };
    this.trouble.unshift(entry);
    if (this.trouble.length > MOST.trouble) {
      // What goes on stays before what is over.
      const at = this.trouble.findLastIndex((old) => old.over !== null);
      this.trouble.splice(at < 0 ? this.trouble.length - 1 : at, 1);
    }
    return entry;
  }

  endLost(time) {
    if (this.weightsLost) this.weightsLost.over = time;
    this.weightsLost = null;
  }
}

function touch(conversation) {
  conversation.version += 1;
  return conversation;
}

function byUid(values) {
  return new Map(Object.entries(values ?? {}).map(([uid, value]) => [Number(uid), value]));
}

// From the first point to the last: where there are too many, the one goes whose neighbours are
// nearest to each other.
function push(points, point) {
  const last = points.at(-1);
  if (last && point.x <= last.x) return;
  points.push(point);
  if (points.length <= MOST.points) return;
  let least = 1;
  const gap = (n) => points[n + 1].x - points[n - 1].x;
  for (let n = 2; n < points.length - 1; n += 1) if (gap(n) < gap(least)) least = n;
  points.splice(least, 1);
}

const TAKES = {
  task_made(record, event) {
    const conversation = record.conversation(event);
    conversation.task = keep(event.task, 60).text;
    conversation.source = keep(event.source, 80).text;
    conversation.topic = keep(event.topic, SHORT).text;
    conversation.query = record.text(conversation, event.query);
  },

  challenged(record, event) {
    const conversation = record.conversation(event);
    const turn = record.turn(event);
    turn.challenge ??= record.text(conversation, event.challenge);
    turn.uids = list(event.uids);
    if (event.organic) {
      conversation.organic = true;
      conversation.withheld ||= event.challenge === "";
    }
  },

  answer_scored(record, event) {
    const turn = record.turn(event);
    if (turn.closed || turn.answers.size >= MOST.answers) return;
    turn.answers.set(event.uid, {
      uid: event.uid,
      reward: event.reward,
      time: null,
      status: null,
      message: null,
      text: null,
    });
  },

  step(record, event) {
    const conversation = record.conversation(event);
    const turn = record.turn(event);
    conversation.task ??= keep(event.task, 60).text;
    conversation.source ??= keep(event.context_source, 80).text;
    conversation.topic ??= keep(event.topic, SHORT).text;
    conversation.organic ||= event.organic === true;
    conversation.withheld ||= event.texts_withheld === true;
    turn.challenge ??= record.text(conversation, event.challenge);
    turn.reference = record.text(conversation, event.reference);
    turn.persona = [event.mood, event.tone, event.profile].map((part) => keep(part, 80).text);
    turn.uids = list(event.uids);
    turn.answers = new Map();
    turn.closed = true;
    turn.uids.forEach((uid, n) => {
      turn.answers.set(uid, {
        uid,
        reward: event.rewards?.[n],
        time: event.timings?.[n],
        status: event.status_codes?.[n],
        message: keep(event.status_messages?.[n], SHORT).text,
        text: record.text(conversation, event.completions?.[n]),
        copyOf: event.copy_of?.[n] ?? null,
      });
    });
    record.forgetOld();
  },

  averages_moved(record, event) {
    const uids = record.conversations.get(event.conversation)?.turns.get(event.turn)?.uids;
    if (!uids) return;
    const values = new Map(record.scores.at(-1)?.values ?? []);
    list(event.averages).forEach((value, n) => {
      if (uids[n] !== undefined) values.set(uids[n], value);
    });
    push(record.scores, { x: event.steps, time: event.time, values });
  },

  conversation_ended(record, event) {
    const conversation = record.conversation(event);
    conversation.ended = {
      reason: event.reason,
      cause: keep(event.cause, SHORT).text,
      seconds: event.seconds,
    };
  },

  organic_answered(record, event) {
    // It may come after the end, of a conversation that is no longer kept.
    const known = record.conversations.has(event.conversation);
    const conversation = record.conversation(event);
    conversation.unsure = !known;
    conversation.organic = true;
    conversation.outcome = {
      outcome: event.outcome,
      uid: event.uid,
      seconds: event.seconds,
      scored: event.scored,
    };
  },

  weights_set(record, event) {
    // That is in order: they are set later.
    if (event.untaken === "too_soon") return;
    const open = record.weightsError;
    if (event.error !== null && event.error !== undefined) {
      if (open?.cause === keep(event.error, SHORT).text) return;
      if (open) open.over = event.time;
      record.weightsError = record.addTrouble(
        "weights",
        event.time,
        "weights could not be set",
        event.error,
      );
      return;
    }
    if (open) open.over = event.time;
    record.weightsError = null;
    // What needs no reveal pays at once.
    if (!event.committed) record.endLost(event.time);
    const weights = list(event.weights);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const values = new Map();
    list(event.uids).forEach((uid, n) => values.set(uid, total > 0 ? weights[n] / total : 0));
    if (event.block !== null) push(record.weights, { x: event.block, time: event.time, values });
  },

  weights_revealed(record, event) {
    // What failed and is not lost is tried again.
    if (event.error !== null && event.error !== undefined && !event.lost) return;
    record.endLost(event.time);
    if (!event.lost) return;
    const what = `the weights committed in block ${event.committed} are lost`;
    record.weightsLost = record.addTrouble("weights", event.time, what, event.error);
  },

  actor_crashed(record, event) {
    const given = event.restarting_in === null || event.restarting_in === undefined;
    const what = given
      ? `${event.actor} crashed and was given up`
      : `${event.actor} crashed and is restarted`;
    record.addTrouble("crash", event.time, what, event.cause).over = given ? null : event.time;
  },

  source_failed(record, event) {
    const key = `${event.source} ${event.kind ?? ""}`;
    if (record.failing.has(key) || record.failing.size > MOST.trouble) return;
    record.failing.set(
      key,
      record.addTrouble("source", event.time, `the source ${event.source} fails`, event.cause),
    );
  },

  source_back(record, event) {
    const key = `${event.source} ${event.kind ?? ""}`;
    const entry = record.failing.get(key);
    if (entry) entry.over = event.time;
    record.failing.delete(key);
  },
};
