// The table of miners, which sorts by any column.

import { byId, el, keyed, mark, say } from "./dom.js";
import { line } from "./foreign.js";
import { NONE, count, fixed, shortKey } from "./format.js";

// `down`: whether a first click brings the largest to the top.
const COLUMNS = [
  { key: "uid", title: "Uid", down: false },
  { key: "kind", title: "Kind", down: false, text: true },
  { key: "score", title: "Score", down: true, show: (miner) => fixed(miner.score, 3) },
  { key: "weight", title: "Weight", down: true, show: (miner) => fixed(miner.weight, 3) },
  { key: "asked", title: "Asked", down: true, show: (miner) => count(miner.asked) },
  { key: "answered", title: "Answered", down: true, show: (miner) => count(miner.answered) },
  { key: "incentive", title: "Incentive", down: true, show: (miner) => fixed(miner.incentive, 3) },
  { key: "stake", title: "Stake", down: true, show: (miner) => stake(miner.stake) },
  { key: "address", title: "Address", down: false, text: true },
];

const stake = (value) => (value === 0 ? "0" : value < 100 ? fixed(value, 2) : count(value));

export class Miners {
  constructor(palette) {
    this.palette = palette;
    this.sorted = { key: "score", down: true };
    this.heads = COLUMNS.map((column) => {
      const button = el(
        "button",
        { type: "button" },
        column.title,
        el("span", { class: "arrow", "aria-hidden": "true" }),
      );
      button.addEventListener("click", () => this.sort(column));
      return el("th", { scope: "col", class: column.text ? null : "number" }, button);
    });
    this.body = el("tbody");
    this.none = el("p", { class: "none" }, "No miners are known yet.");
    this.box = el(
      "div",
      { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Table of the miners" },
      el(
        "table",
        { class: "miners" },
        el("caption", { class: "unseen" }, "Miners; the buttons in the column heads sort"),
        el("thead", {}, el("tr", {}, this.heads)),
        this.body,
      ),
    );
    byId("miners").append(this.none, this.box);
    this.box.hidden = true;
    this.head();
  }

  sort(column) {
    const again = this.sorted.key === column.key;
    this.sorted = { key: column.key, down: again ? !this.sorted.down : column.down };
    this.head();
    this.fill();
  }

  head() {
    COLUMNS.forEach((column, n) => {
      const now = column.key === this.sorted.key;
      if (now) this.heads[n].setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
      else this.heads[n].removeAttribute("aria-sort");
      say(this.heads[n].querySelector(".arrow"), now ? (this.sorted.down ? "↓" : "↑") : "");
    });
  }

  update({ state }) {
    if (!state || state === this.state) return;
    this.state = state;
    this.fill();
  }

  fill() {
    const miners = this.state?.miners ?? [];
    this.none.hidden = miners.length > 0;
    this.box.hidden = miners.length === 0;
    const answering = miners.filter((miner) => miner.answered > 0).length;
    say(byId("miners-count"), `${count(miners.length)} known, ${count(answering)} have answered`);
    const best = Math.max(1e-9, ...miners.map((miner) => miner.score ?? 0));
    keyed(
      this.body,
      this.inOrder(miners),
      (miner) => miner.uid,
      (miner) => this.row(miner),
      (row, miner) => this.renew(row, miner, best),
    );
  }

  // Those without a value are last, whichever way it is sorted.
  inOrder(miners) {
    const { key, down } = this.sorted;
    const missing = (value) => value === null || value === undefined;
    return [...miners].sort((a, b) => {
      const [x, y] = [a[key], b[key]];
      if (missing(x) || missing(y)) return missing(x) - missing(y) || a.uid - b.uid;
      const way = typeof x === "string" ? x.localeCompare(y) : x - y;
      return (down ? -way : way) || a.uid - b.uid;
    });
  }

  row(miner) {
    const swatch = el("i", { class: "swatch", "aria-hidden": "true" });
    const bar = el("i", { class: "bar", "aria-hidden": "true" });
    return el(
      "tr",
      {},
      COLUMNS.map((column) => {
        if (column.key === "uid")
          return el(
            "th",
            { scope: "row", class: "number", title: miner.hotkey },
            swatch,
            el("span", {}, String(miner.uid)),
            el("span", { class: "unseen" }, ` hotkey ${shortKey(miner.hotkey ?? "")}`),
          );
        if (column.key === "score") return el("td", { class: "number score" }, bar, el("span"));
        return el("td", { class: column.text ? "name" : "number" });
      }),
    );
  }

  renew(row, miner, best) {
    mark(row.querySelector(".swatch"), "class", `swatch ${this.palette.name(miner.uid)}`);
    COLUMNS.forEach((column, n) => {
      const cell = row.children[n];
      if (column.key === "uid") {
        mark(cell, "title", miner.hotkey);
      } else if (column.key === "score") {
        say(cell.lastChild, column.show(miner));
        cell.firstChild.style.setProperty("--share", fixed((miner.score ?? 0) / best, 2));
      } else if (column.text) {
        const told = miner[column.key] ?? "";
        if (cell.told !== told) {
          cell.told = told;
          cell.replaceChildren(told === "" ? NONE : line(told, 48));
        }
      } else {
        say(cell, column.show(miner));
      }
    });
  }
}
