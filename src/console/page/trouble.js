// What went wrong lately, the newest first, and whether it is over.

import { byId, el, keyed, mark, say } from "./dom.js";
import { line } from "./foreign.js";
import { clock, count, iso } from "./format.js";

const NAMES = { crash: "actor", weights: "weights", source: "source", missed: "viewer" };

export class Trouble {
  constructor() {
    this.list = el("ul", { class: "trouble" });
    this.none = el(
      "p",
      { class: "none" },
      "Nothing went wrong since this page was opened, nor in the events before it that it was sent.",
    );
    byId("trouble").append(this.none, this.list);
  }

  update(record) {
    const entries = [...record.trouble];
    if (record.missed > 0) {
      entries.unshift({
        key: "missed",
        kind: "missed",
        time: null,
        what: `${count(record.missed)} events did not reach this page, because it was too slow; the journal has them`,
        cause: "",
        over: 0,
      });
    }
    this.none.hidden = entries.length > 0;
    const open = entries.filter((entry) => entry.over === null).length;
    say(
      byId("trouble-count"),
      entries.length ? `${count(open)} not over, ${count(entries.length)} in all` : "none",
    );
    keyed(
      this.list,
      entries,
      (entry) => entry.key,
      (entry) => make(entry),
      renew,
    );
  }
}

function make(entry) {
  const item = el(
    "li",
    {},
    el("span", { class: "mark", "aria-hidden": "true" }),
    el(
      "span",
      { class: "what" },
      el("b", {}, NAMES[entry.kind] ?? entry.kind),
      " ",
      el("span", { class: "words" }, line(entry.what, 300)),
      entry.cause ? ": " : "",
      entry.cause ? line(entry.cause, 400) : null,
    ),
    el("span", { class: "over" }),
    entry.time === null ? null : el("time", { datetime: iso(entry.time) }, clock(entry.time)),
  );
  return item;
}

function renew(item, entry) {
  const over = entry.over !== null;
  mark(item, "data-over", over);
  if (entry.kind === "missed") item.querySelector(".words").replaceChildren(entry.what);
  // From the next day on it names the day.
  const time = item.querySelector("time");
  if (time) say(time, clock(entry.time));
  say(item.querySelector(".mark"), over ? "✓" : "✗");
  const ended = entry.kind === "source" || entry.kind === "weights";
  say(item.querySelector(".over"), over ? (ended ? `over at ${clock(entry.over)}` : "") : "not over");
}
