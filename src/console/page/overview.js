// Who this is, whether it is ready, whether the page hears from it, and its numbers at a glance.

import { byId, el, keyed, mark, say, svg } from "./dom.js";
import { harmless, keep, line } from "./foreign.js";
import { NONE, age, clock, count, percent, rate, short, shortKey } from "./format.js";

const STATUS = { connecting: "Connecting", live: "Live", lost: "Connection lost", ended: "Program ended" };

const GROUPS = [
  [
    "Work",
    [
      ["Steps", (state) => count(state.steps)],
      [
        "In flight",
        (state) => `${count(state.conversations.in_flight)} of ${count(state.conversations.most)}`,
        "flight",
      ],
      ["Answered", (state) => answered(state.miners)],
    ],
  ],
  [
    "Chain",
    [
      ["Block", (state) => count(state.chain.block)],
      ["Head age", (state) => age(state.chain.head_age_s), "head"],
      ["Weights age", (state) => blocks(state.chain.weights_age_blocks)],
      ["Neurons", (state) => count(state.chain.neurons)],
    ],
  ],
  [
    "Model",
    [
      ["Written", (state) => [rate(state.model.decoded_per_s), "tokens/s"], "tokens"],
      ["Read", (state) => [rate(state.model.prefilled_per_s), "tokens/s"], "read"],
      ["Prefix hits", (state) => percent(state.model.hit_ratio)],
      ["Tokens so far", (state) => short(state.model.decoded_tokens)],
    ],
  ],
];

const blocks = (age) => (age === null ? NONE : `${count(age)} ${age === 1 ? "block" : "blocks"}`);

// Of all that miners were asked.
function answered(miners) {
  const sum = (key) => miners.reduce((total, miner) => total + (miner[key] ?? 0), 0);
  return sum("asked") > 0 ? percent(sum("answered") / sum("asked")) : NONE;
}

export class Overview {
  constructor() {
    this.ready = null;
    this.tiles = [];
    for (const [title, entries] of GROUPS) {
      const box = el("dl");
      const name = `vitals-${title.toLowerCase()}`;
      byId("vitals").append(
        el("div", { class: "group" }, el("h3", { id: name }, title, " ", el("span", { class: "id" })), box),
      );
      for (const [label, value, pulse] of entries) {
        const [number, unit, spark] = [
          el("span", { class: "big" }, NONE),
          el("span", { class: "unit" }),
          pulse ? sparkline() : null,
        ];
        box.append(el("div", { class: "tile" }, el("dt", {}, label), el("dd", {}, number, unit, spark)));
        this.tiles.push({ value, number, unit, spark, pulse });
      }
    }
  }

  update(record) {
    const { state } = record;
    if (!state || state === this.state) return;
    const before = this.state;
    this.state = state;
    say(byId("role"), state.role);
    this.identify(state);
    this.judge(state, before);
    for (const { value, number, unit, spark, pulse } of this.tiles) {
      const [text, of] = [value(state)].flat();
      say(number, text);
      say(unit, of ? ` ${of}` : "");
      if (spark)
        trace(
          spark,
          record.pulse.map((second) => second[pulse]),
        );
    }
    say(byId("vitals").querySelector("#vitals-model .id"), harmless(keep(state.model.id, 60).text));
  }

  identify(state) {
    if (!this.key) {
      const entry = (name, body) => el("div", {}, el("dt", {}, name), el("dd", {}, body));
      [this.netuid, this.uid, this.steps, this.up, this.version] = [
        el("span"),
        el("span"),
        el("span"),
        el("span"),
        el("span"),
      ];
      this.key = el("button", { type: "button", class: "key" });
      this.key.addEventListener("click", () => this.copy());
      byId("identity").replaceChildren(
        entry("netuid", this.netuid),
        entry("uid", this.uid),
        entry("hotkey", this.key),
        entry("steps", this.steps),
        entry("up", this.up),
        entry("version", this.version),
      );
    }
    say(this.netuid, String(state.netuid));
    say(this.uid, state.uid === null ? "not registered" : String(state.uid));
    say(this.steps, count(state.steps));
    say(this.up, age(state.uptime_s));
    say(this.version, state.version);
    if (this.hotkey !== state.hotkey) {
      this.hotkey = state.hotkey;
      this.key.replaceChildren(
        el("span", { class: "short", "aria-hidden": "true" }, shortKey(state.hotkey)),
        el("span", { class: "full", "aria-hidden": "true" }, state.hotkey),
      );
      mark(this.key, "aria-label", `${shortKey(state.hotkey)}: copy the hotkey ${state.hotkey}`);
    }
  }

  async copy() {
    let done = true;
    try {
      await navigator.clipboard.writeText(this.hotkey);
    } catch {
      done = false;
      getSelection().selectAllChildren(this.key.querySelector(".full"));
    }
    announce(
      done ? "The hotkey is copied." : "The hotkey is selected: copy it with the keys of your system.",
    );
    this.key.classList.toggle("copied", done);
    setTimeout(() => this.key.classList.remove("copied"), 1_500);
  }

  judge(state, before) {
    const pill = byId("readiness");
    const failing = state.checks.filter((check) => !check.ok);
    mark(pill, "class", `pill ${state.ready ? "good" : "bad"}`);
    say(pill, state.ready ? "Ready" : "Not ready");
    if (before && before.ready !== state.ready) {
      announce(
        state.ready
          ? "The program is ready again."
          : `The program is not ready: ${failing.map((check) => check.says).join("; ")}`,
      );
    }
    keyed(
      byId("checks"),
      state.checks,
      (check) => check.name,
      () =>
        el(
          "li",
          {},
          el("span", { class: "mark", "aria-hidden": "true" }),
          el("span", { class: "unseen" }),
          el("b"),
          el("span", { class: "says" }),
        ),
      (item, check) => {
        mark(item, "data-ok", check.ok);
        const [sign, spoken, name, says] = item.children;
        say(sign, check.ok ? "✓" : "✗");
        say(spoken, check.ok ? "good: " : "failing: ");
        say(name, check.name);
        if (says.told !== check.says) {
          says.told = check.says;
          says.replaceChildren(line(check.says, 200));
        }
      },
    );
  }

  // Whether the page hears from the program.
  connection(connection) {
    const { status, since, reason, previous } = connection;
    const pill = byId("connection");
    mark(pill, "class", `pill ${{ live: "good", connecting: "waiting" }[status] ?? "bad"}`);
    say(pill, STATUS[status]);
    const gone = status === "lost" || status === "ended";
    document.body.classList.toggle("stale", gone);
    const banner = byId("banner");
    banner.hidden = !gone;
    const told =
      status === "ended"
        ? `The program has ended${reason ? `: ${harmless(keep(reason, 200).text)}` : ""}.`
        : "The connection to the program is lost.";
    if (gone) say(banner, `${told} What you see is as of ${clock(since)}. Trying to reach it again.`);
    if (gone && this.state) {
      mark(byId("readiness"), "class", "pill waiting");
      say(byId("readiness"), this.state.ready ? "Was ready" : "Was not ready");
    }
    if (gone) announce(told);
    else if (status === "live" && previous !== "connecting") announce("The connection is back.");
  }

  title(connection) {
    const role = this.state ? `sn1 ${this.state.role}` : "sn1 console";
    const word =
      connection.status === "live"
        ? this.state?.ready
          ? "ready"
          : "not ready"
        : STATUS[connection.status].toLowerCase();
    const title = `${role}: ${word}`;
    if (document.title !== title) document.title = title;
  }
}

// To screen readers, and never about what comes each second.
export function announce(text) {
  byId("news").textContent = text;
}

function sparkline() {
  return svg(
    "svg",
    { class: "spark", viewBox: "0 0 120 24", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { "vector-effect": "non-scaling-stroke" }),
  );
}

function trace(spark, values) {
  const highest = Math.max(1e-9, ...values);
  const path = values
    .map((value, n) => `${n ? "L" : "M"}${n},${(22 - (value / highest) * 20).toFixed(1)}`)
    .join("");
  mark(spark.firstChild, "d", values.length > 1 ? path : "M0,22");
}
