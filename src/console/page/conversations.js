// Conversations, the newest first. A closed one is one summary; what is inside is built when it is
// opened, and again when more of it has come.

import { byId, el, keyed, mark, say } from "./dom.js";
import { block, line } from "./foreign.js";
import { age, clock, count, fixed, iso, took, words } from "./format.js";

const PAGE = 15;
// Answers shown before somebody asks for the rest.
const ANSWERS = 12;
const WITHHELD = "an API user's question; its text is not kept";
const ENDED = {
  no_context: "ended: no source had a context for it",
  no_text: "ended: the model did not write its text",
  no_miners: "ended: there was nobody to ask",
  dropped: "ended: whoever held it crashed, or the program was stopping",
  cut_short: "ended: the program stopped in the middle of it",
};
const OUTCOMES = {
  answered: "the user got an answer",
  gone: "the user had gone",
  no_miners: "nobody was asked",
  all_failed: "everybody who was asked failed",
  overloaded: "too many queries were under way",
  interrupted: "it was interrupted",
};

export class Conversations {
  constructor(palette) {
    this.palette = palette;
    this.shown = PAGE;
    this.list = el("ol", { class: "conversations" });
    this.none = el("p", { class: "none" }, "No conversation has begun yet.");
    this.more = el(
      "button",
      { type: "button", class: "quiet more", on: { click: () => this.showMore() } },
      "Show older ones",
    );
    byId("conversations").append(this.none, this.list, this.more);
  }

  showMore() {
    const before = this.shown;
    this.shown += PAGE;
    this.update(this.record);
    this.list.children[before]?.querySelector("summary")?.focus();
  }

  update(record) {
    this.record = record;
    const all = [...record.conversations.values()].reverse();
    // One that somebody reads stays, although newer ones have come.
    const shown = all.filter(
      (conversation, n) => n < this.shown || this.list.kept?.get(conversation.key)?.details.open,
    );
    this.none.hidden = all.length > 0;
    this.more.hidden = shown.length === all.length;
    const flying = all.filter((conversation) => !conversation.ended && !conversation.unsure).length;
    say(byId("conversations-count"), `${count(flying)} in flight, ${count(all.length)} kept`);
    keyed(
      this.list,
      shown,
      (conversation) => conversation.key,
      (conversation) => this.make(conversation),
      (item, conversation) => this.renew(item, conversation),
    );
  }

  make(conversation) {
    const item = el("li");
    item.summary = el("summary");
    item.inside = el("div", { class: "inside" });
    item.details = el("details", {}, item.summary, item.inside);
    item.details.addEventListener("toggle", () => {
      if (item.details.open) this.fill(item, conversation);
      else item.inside.replaceChildren();
    });
    item.append(item.details);
    return item;
  }

  renew(item, conversation) {
    if (item.version === conversation.version) {
      // From the next day on it names the day.
      say(item.summary.querySelector("time"), clock(conversation.began));
      return;
    }
    item.version = conversation.version;
    mark(item, "data-flight", flight(conversation));
    item.summary.replaceChildren(...this.summary(conversation));
    if (item.details.open) this.fill(item, conversation);
  }

  summary(conversation) {
    const turns = [...conversation.turns.values()];
    const last = turns.at(-1);
    const answers = last ? ranked(last) : [];
    const kind = conversation.task ? words(conversation.task) : conversation.organic ? "API user" : "task";
    const about =
      conversation.organic && conversation.withheld
        ? WITHHELD
        : last?.challenge?.text || conversation.query?.text || "";
    const best = answers[0];
    const asked = last?.uids.length ?? 0;
    const state =
      flight(conversation) === "flying"
        ? el(
            "span",
            { class: "flying" },
            last ? `in flight: ${answers.length} of ${asked} scored` : "in flight",
          )
        : el("span", { class: "fate" }, fate(conversation, best));
    return [
      el(
        "span",
        { class: "top" },
        el("span", { class: "kind" }, line(kind, 30)),
        el(
          "span",
          { class: "where" },
          conversation.organic
            ? "asked by an API user"
            : [
                line(conversation.topic ?? "", 60),
                conversation.source ? " from " : "",
                line(conversation.source ?? "", 30),
              ],
        ),
        turns.length > 1 ? el("span", { class: "turns" }, `${turns.length} turns`) : null,
        el("time", { datetime: iso(conversation.began) }, clock(conversation.began)),
      ),
      el("span", { class: "said" }, line(about, 200)),
      el("span", { class: "result" }, strip(answers, this.palette), state),
    ];
  }

  // Keeps answers that somebody has unfolded, and the focus, if nothing of them has changed.
  fill(item, conversation) {
    const stamp =
      [...conversation.turns.values()]
        .map((turn) => `${turn.number} ${turn.closed} ${turn.answers.size}`)
        .join() + JSON.stringify([conversation.ended, conversation.outcome]);
    if (item.inside.stamp === stamp && item.inside.hasChildNodes()) return;
    item.inside.stamp = stamp;
    const focused = item.inside.contains(document.activeElement);
    item.inside.replaceChildren(...this.inside(conversation));
    if (focused) item.summary.focus();
  }

  inside(conversation) {
    const parts = [];
    const facts = [];
    const { ended, outcome } = conversation;
    if (ended) facts.push(["Lasted", age(ended.seconds)]);
    if (ended?.cause) facts.push(["Cause", line(ended.cause, 300)]);
    if (outcome) facts.push(["API user", fortune(outcome)]);
    const challenges = [...conversation.turns.values()].map((turn) => turn.challenge?.text);
    if (conversation.query?.text && !conversation.withheld && !challenges.includes(conversation.query.text))
      parts.push(labelled("Query", block(conversation.query)));
    const several = conversation.turns.size > 1;
    for (const turn of conversation.turns.values()) parts.push(...this.turn(conversation, turn, several));
    if (!conversation.turns.size)
      parts.push(el("p", { class: "note" }, ended ? "Nobody was asked." : "The challenge is being written."));
    if (facts.length)
      parts.push(
        el(
          "dl",
          { class: "facts" },
          facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
        ),
      );
    return parts;
  }

  turn(conversation, turn, several) {
    const parts = several ? [el("h3", { class: "turn" }, `Turn ${turn.number + 1}`)] : [];
    if (conversation.withheld) {
      parts.push(el("p", { class: "note" }, `This is ${WITHHELD}.`));
    } else {
      if (turn.persona?.some(Boolean))
        parts.push(
          labelled("Persona", line(`${turn.persona[0]} ${turn.persona[2]}, ${turn.persona[1]} in tone`, 240)),
        );
      if (turn.challenge) parts.push(labelled("Challenge", block(turn.challenge)));
      if (turn.reference?.length) parts.push(labelled("Reference", block(turn.reference)));
      else if (!turn.closed)
        parts.push(
          el(
            "p",
            { class: "note" },
            "The reference and the texts of the answers are shown when the turn is scored.",
          ),
        );
    }
    const answers = ranked(turn);
    parts.push(
      el(
        several ? "h4" : "h3",
        {},
        turn.closed
          ? `Answers, the best first (${answers.length})`
          : `Answers so far (${answers.length} of ${turn.uids.length})`,
      ),
    );
    const ranking = el(
      "ol",
      { class: "answers" },
      answers.slice(0, ANSWERS).map((answer) => this.answer(conversation, answer)),
    );
    parts.push(ranking);
    if (answers.length > ANSWERS) {
      const more = el(
        "button",
        { type: "button", class: "quiet" },
        `Show all ${count(answers.length)} answers`,
      );
      more.addEventListener("click", () => {
        const rest = answers.slice(ANSWERS).map((answer) => this.answer(conversation, answer));
        ranking.append(...rest);
        more.remove();
        rest[0].tabIndex = -1;
        rest[0].focus();
      });
      parts.push(more);
    }
    return parts;
  }

  answer(conversation, answer) {
    const kind = this.record.kinds.get(answer.uid);
    const bar = el("i", { class: "bar", "aria-hidden": "true" });
    bar.style.inlineSize = `${Math.round(Math.max(0, Math.min(1, answer.reward ?? 0)) * 100)}%`;
    const ok = answer.status === null || answer.status === 200;
    const head = el(
      "p",
      { class: "who" },
      el("i", { class: `swatch ${this.palette.name(answer.uid)}`, "aria-hidden": "true" }),
      el("b", {}, `uid ${answer.uid}`),
      kind ? line(kind, 24) : null,
      el(
        "span",
        { class: "reward" },
        el("span", { class: "unseen" }, "reward "),
        el("span", { class: "gauge" }, bar),
        el("b", {}, fixed(answer.reward, 3)),
      ),
      answer.time === null ? null : el("span", {}, took(answer.time)),
      answer.status === null
        ? null
        : el("span", { class: ok ? "status" : "status bad" }, ok ? "200" : `✗ ${answer.status}`),
      answer.copyOf === null || answer.copyOf === undefined
        ? null
        : el("span", { class: "status bad" }, `copy of uid ${answer.copyOf}`),
    );
    let body = null;
    if (answer.text?.length) body = block(answer.text);
    else if (answer.text && !conversation.withheld)
      body = el("p", { class: "note" }, "no text", ok ? "" : ": ", ok ? "" : line(answer.message, 200));
    return el("li", {}, head, body);
  }
}

// What became of an API user's question.
function fortune({ outcome, uid, seconds, scored }) {
  const what = OUTCOMES[outcome] ?? words(outcome);
  const whose = uid === null || uid === undefined ? "" : ` of uid ${uid}`;
  return `${what}${whose} after ${age(seconds)}${scored ? "" : "; not scored"}`;
}

function labelled(name, body) {
  return el("div", { class: "part" }, el("h3", {}, name), body);
}

const flight = (conversation) =>
  conversation.ended
    ? conversation.ended.reason === "completed"
      ? "done"
      : "broken"
    : conversation.unsure
      ? "unsure"
      : "flying";

function fate(conversation, best) {
  if (!conversation.ended) return "its end was not seen";
  const { reason } = conversation.ended;
  if (reason !== "completed") return ENDED[reason] ?? `ended: ${words(reason)}`;
  return best ? `best ${fixed(best.reward, 2)} by uid ${best.uid}` : "completed";
}

function ranked(turn) {
  return [...turn.answers.values()].sort(
    (a, b) => (b.reward ?? -1) - (a.reward ?? -1) || (a.time ?? 0) - (b.time ?? 0),
  );
}

// The rewards of all answers at a glance, as small columns.
function strip(answers, palette) {
  const box = el("span", { class: "strip", "aria-hidden": "true" });
  for (const answer of answers.slice(0, 24)) {
    const column = el("i", { class: palette.name(answer.uid) });
    column.style.blockSize = `${Math.max(8, Math.round((answer.reward ?? 0) * 100))}%`;
    box.append(column);
  }
  return box;
}
