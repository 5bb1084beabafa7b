// The page by itself, against a stand-in for the server.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { accessible, close, column, launch, open, picture, shows, sortBy, steps } from "./browser.mjs";
import { HOSTILE, LONG } from "./hostile.mjs";
import { Mock, end, firstState, play, setWeights, turn } from "./mock.mjs";

let browser;
let mock;
before(async () => (browser = await launch()));
after(() => browser?.close());
beforeEach(async () => (mock = await new Mock({ tick: 100 }).start()));
afterEach(() => mock.stop());

const first = (page) => page.locator(".conversations summary").first();

function plain(conversation) {
  turn(mock, conversation, {
    challenge: "Why are there tides?",
    completions: ["Because of the Moon.", "Wind.", "", "Why are there tides?"],
  });
  end(mock, conversation);
}

test("nothing that a miner or a source writes becomes anything but text", async () => {
  const page = await open(browser, mock.url);
  await shows(page, "No conversation has begun yet.");
  const parts = () =>
    page.evaluate(
      () =>
        document.querySelectorAll(
          "script, style, link, meta, base, img, iframe, object, embed, form, video, audio, template, a",
        ).length,
    );
  const [partsBefore, title] = [await parts(), await page.title()];

  for (const [n, text] of HOSTILE.entries()) {
    turn(mock, n, {
      task: text,
      source: text,
      topic: text,
      challenge: text,
      reference: text,
      completions: [text, text, ""],
    });
    end(mock, n, n % 2 ? "no_text" : "completed", text);
    mock.journal({ event: "actor_crashed", actor: text, cause: text, restarting_in: null });
    mock.journal({
      event: "source_failed",
      source: text,
      kind: "article",
      cause: text,
      retry_in: { secs: 1, nanos: 0 },
    });
    mock.journal({ event: "weights_set", block: null, uids: [], weights: [], error: text });
  }
  mock.state.checks[0].says = HOSTILE[0];
  mock.state.actors[0].last_crash = HOSTILE[1];
  mock.state.miners[0].address = HOSTILE[0];
  mock.state.miners[0].kind = HOSTILE[1];
  mock.state.model.id = HOSTILE[0];
  await page.waitForFunction(
    (count) => document.querySelectorAll(".conversations > li").length === Math.min(15, count),
    HOSTILE.length,
  );
  await page.getByRole("button", { name: "Show older ones" }).click();
  for (const summary of await page.locator(".conversations summary").all()) await summary.click();
  await page.locator(".as-table summary").click();
  for (const text of HOSTILE.slice(0, 8))
    await page.locator(".answers .text", { hasText: text }).first().waitFor();
  await shows(page, "<script>", "#checks");
  await shows(page, "<img", "#actors tbody");

  const found = await page.evaluate(() => {
    const all = [...document.querySelectorAll("*")];
    return {
      owned: window.owned,
      listeners: all.flatMap((node) =>
        [...node.attributes].filter(({ name }) => name.startsWith("on")).map(({ name }) => name),
      ),
      addresses: all.filter((node) => /javascript:/i.test(node.getAttribute("href") ?? "")).length,
      controls: document.body.textContent.match(
        /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u202a-\u202e\u2066-\u2069\u3164]/gu,
      ),
      outside: [...document.querySelectorAll(".text")].filter(
        (node) => !getComputedStyle(node).contain.includes("paint"),
      ).length,
    };
  });
  assert.deepEqual(found, { owned: undefined, listeners: [], addresses: 0, controls: null, outside: 0 });
  assert.equal(await parts(), partsBefore);
  assert.equal(await page.title(), title);
  await picture(page, "hostile");
  await close(page);
});

test("an answer of a megabyte is sent and shown in part, and the page goes on", async () => {
  const page = await open(browser, mock.url);
  turn(mock, 0, { challenge: "Write.", completions: [LONG, LONG.slice(0, 3_000)] });
  end(mock, 0);
  await first(page).click();
  const button = page.getByRole("button", { name: "Show 16,384 characters" });
  await button.waitFor();
  const length = () => page.evaluate(() => document.body.textContent.length);
  assert.ok((await length()) < 40_000, `${await length()} characters before it was asked for`);
  await button.click();
  await shows(page, "These are the first 16,384 characters; the journal has the rest.");
  assert.ok((await length()) < 60_000, `${await length()} characters after it was asked for`);
  assert.equal(await page.getByText("characters more").count(), 0);
  await page.getByRole("button", { name: "Show all 3,000 characters" }).click();
  await shows(page, "This is all of it.");
  plain(1);
  await page.waitForFunction(() => document.querySelectorAll(".conversations > li").length === 2);
  await shows(page, "These are the first 16,384");
  await close(page);
});

test("a conversation is seen in flight, then with its answers ranked, then with its end", async () => {
  const page = await open(browser, mock.url);
  mock.journal({
    event: "task_made",
    conversation: 4,
    task: "date_qa",
    source: "wikipedia",
    topic: "1815",
    query: "When?",
  });
  mock.journal({ event: "challenged", conversation: 4, turn: 0, challenge: "So when was it?", uids: [1, 2] });
  mock.journal({ event: "answer_scored", conversation: 4, turn: 0, uid: 2, hotkey: "5F", reward: 0.25 });
  await shows(page, "in flight: 1 of 2 scored", ".conversations");
  await first(page).click();
  await shows(page, "The reference and the texts of the answers are shown when the turn is scored.");
  turn(mock, 4, {
    task: "date_qa",
    challenge: "So when was it?",
    reference: "9 June 1815",
    completions: ["in May", "in June"],
    rewards: [0.25, 0.75],
  });
  end(mock, 4);
  await shows(page, "best 0.75 by uid 2", ".conversations");
  await shows(page, "curious student, polite in tone");
  await shows(page, "9 June 1815");
  const order = await page.locator(".answers .who > b").allInnerTexts();
  assert.deepEqual(order, ["uid 2", "uid 1"]);
  end(mock, 5, "no_context", "every source failed");
  await shows(page, "ended: no source had a context for it", ".conversations");
  await close(page);
});

test("of fifty answers the best are shown, and all of them to who asks", async () => {
  const page = await open(browser, mock.url);
  turn(mock, 0, { challenge: "Why?", completions: Array.from({ length: 50 }, (_, n) => `answer ${n}`) });
  await first(page).click();
  const answers = page.locator(".answers > li");
  await answers.first().waitFor();
  assert.equal(await answers.count(), 12);
  await page.getByRole("button", { name: "Show all 50 answers" }).click();
  assert.equal(await answers.count(), 50);
  assert.match(await page.evaluate(() => document.activeElement.innerText), /answer 12$/);
  await close(page);
});

test("of an API user's question whose text is not kept it says just that", async () => {
  const page = await open(browser, mock.url);
  mock.journal({
    event: "challenged",
    conversation: 9_000_000_000,
    turn: 0,
    challenge: "",
    uids: [1],
    organic: true,
  });
  mock.journal({
    event: "step",
    conversation: 9_000_000_000,
    turn: 0,
    task: "qa",
    organic: true,
    texts_withheld: true,
    challenge: "",
    reference: "",
    uids: [1],
    hotkeys: ["5F"],
    completions: [""],
    rewards: [0.5],
    timings: [1],
    status_codes: [200],
    status_messages: [""],
  });
  end(mock, 9_000_000_000);
  mock.journal({
    event: "organic_answered",
    conversation: 9_000_000_000,
    outcome: "answered",
    uid: 1,
    seconds: 1.5,
    scored: true,
  });
  await shows(page, "an API user's question; its text is not kept", ".conversations");
  await first(page).click();
  await shows(page, "the user got an answer of uid 1 after 1.5 s");
  assert.equal(await page.locator(".inside .part").count(), 0);
  await close(page);
});

test("a hundred conversations are kept, and one that is being read stays in place", async () => {
  const page = await open(browser, mock.url);
  plain(0);
  await first(page).click();
  for (let n = 1; n <= 60; n += 1) plain(n);
  await shows(page, "61 kept", "#conversations-count");
  assert.equal(await page.locator(".conversations details[open]").count(), 1);
  assert.equal(await page.locator(".conversations > li").count(), 16);
  for (let n = 61; n <= 140; n += 1) plain(n);
  await shows(page, "100 kept", "#conversations-count");
  await page.getByRole("button", { name: "Show older ones" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".conversations > li").length === 30);
  await close(page);
});

test("a long history of a thousand miners is plotted", async () => {
  const scores = Object.fromEntries(Array.from({ length: 1_024 }, (_, uid) => [uid, uid / 1_024]));
  const point = (n) => ({ step: n + 1, time: Date.now() / 1000, scores });
  mock.history = { scores: Array.from({ length: 256 }, (_, n) => point(n)), weights: [] };
  const page = await open(browser, mock.url);
  await shows(page, "1,016 more", "#scores .legend");
  const label = await page.locator("#scores svg[role=img]").getAttribute("aria-label");
  assert.match(label, /^Scores from step 1 to 256\. At the end: uid 1023 0\.999/);
  await close(page);
});

test("the weights are plotted and sort", async () => {
  play(mock);
  // Nothing moves between the two looks at a column.
  mock.onbeat = null;
  const page = await open(browser, mock.url);
  await steps(page, 120);
  const head = await sortBy(page, "Weight");
  assert.equal(await head.getAttribute("aria-sort"), "descending");
  const falling = (await column(page, "Weight")).map(Number);
  assert.deepEqual(
    falling,
    [...falling].sort((a, b) => b - a),
  );
  assert.ok(falling[0] > 0);
  await sortBy(page, "Weight");
  assert.equal(await head.getAttribute("aria-sort"), "ascending");
  const rising = (await column(page, "Weight")).map(Number);
  assert.deepEqual(rising, [...falling].reverse());
  const label = await page.locator("#weights svg[role=img]").getAttribute("aria-label");
  assert.match(label, /^Weights from block \d+ to \d+\. At the end: uid 1 0\.\d{3}/);
  await page.locator("#weights .plot").hover({ position: { x: 200, y: 100 } });
  assert.equal(await page.locator("#weights .cursor").getAttribute("visibility"), "visible");
  await close(page);
});

test("what is ill is told by word and shape, in the drawing and in the table", async () => {
  const [maker, fetcher] = [
    mock.state.actors.find(({ name }) => name === "task_maker"),
    mock.state.actors.find(({ name }) => name === "tool_fetcher"),
  ];
  Object.assign(maker, { health: "backing_off", restarts: 3, last_crash: "a panic: no" });
  Object.assign(fetcher, { health: "gave_up", restarts: 10 });
  mock.state.ready = false;
  mock.state.checks[0] = { name: "blocks", ok: false, says: "no block for 65 s" };
  const page = await open(browser, mock.url);
  await shows(page, "task maker restarting soon", "#actors-count");
  const label = await page.locator(".graph svg").getAttribute("aria-label");
  assert.match(label, /tool fetcher given up/);
  const drawn = (name) =>
    page.locator(".node", { hasText: name }).first().locator(".health").getAttribute("d");
  assert.notEqual(await drawn("task maker"), await drawn("dendrite"));
  await page.locator(".as-table summary").click();
  const row = page.locator("#actors tbody tr", { hasText: "task maker" });
  assert.deepEqual((await row.locator("td").allInnerTexts()).slice(0, 3), [
    "restarting soon",
    "3",
    "Tick 1/4 (2)",
  ]);
  assert.match(await row.innerText(), /a panic: no/);
  await shows(page, "Not ready", "#readiness");
  await shows(page, "no block for 65 s", "#checks");
  assert.match(await page.title(), /not ready$/);
  await close(page);
});

test("trouble with weights is told by its causes, and what goes on is kept the longest", async () => {
  const page = await open(browser, mock.url);
  const retry_in = { secs: 30, nanos: 0 };
  mock.journal({ event: "source_failed", source: "wikipedia", kind: "article", cause: "down", retry_in });
  for (const [untaken, error] of [
    ["too_soon", "7 blocks too soon"],
    ["unreachable", "the chain is away"],
    ["refused", "no validator permit"],
    ["too_soon", "6 blocks too soon"],
    ["refused", "no validator permit"],
  ])
    mock.journal({ event: "weights_set", block: null, uids: [], weights: [], error, untaken });
  const reveal = (lost) =>
    mock.journal({ event: "weights_revealed", committed: 120, block: null, error: "expired", lost });
  reveal(false);
  reveal(true);
  await shows(page, "3 not over, 4 in all", "#trouble-count");
  await shows(page, "the weights committed in block 120 are lost", "#trouble");
  assert.match(await page.locator('.trouble > li[data-over="true"]').innerText(), /the chain is away/);
  for (let n = 0; n < 80; n += 1)
    mock.journal({ event: "actor_crashed", actor: "dendrite", cause: "a panic", restarting_in: retry_in });
  await shows(page, "3 not over, 60 in all", "#trouble-count");
  setWeights(mock);
  await shows(page, "1 not over, 60 in all", "#trouble-count");
  await close(page);
});

test("a lost connection is said, what was seen stays, and so is its return", async () => {
  plain(0);
  mock.journal({
    event: "actor_crashed",
    actor: "dendrite",
    cause: "a panic",
    restarting_in: { secs: 1, nanos: 0 },
  });
  const page = await open(browser, mock.url);
  await shows(page, "Live", "#connection");
  await first(page).click();
  page.serverIsAway = true;
  await mock.stop();
  await shows(page, "The connection to the program is lost.", "#banner");
  await shows(page, "Connection lost", "#connection");
  assert.match(await page.locator("#news").textContent(), /connection to the program is lost/);
  await shows(page, "Because of the Moon.", ".answers");
  await accessible(page, "while the connection is lost");
  await picture(page, "mock-disconnected");
  await mock.start(mock.port);
  await shows(page, "Live", "#connection");
  page.serverIsAway = false;
  assert.equal(await page.locator("#banner").isVisible(), false);
  assert.match(await page.locator("#news").textContent(), /connection is back/);
  // The events that were sent again are not taken twice, and the one that is open stays open.
  plain(1);
  await shows(page, "2 kept", "#conversations-count");
  assert.equal(await page.locator(".conversations details[open]").count(), 1);
  assert.equal(await page.locator(".trouble > li").count(), 1);
  await close(page);
});

test("a server that is silent is lost too", async () => {
  mock.state.steps = 3;
  const page = await open(browser, mock.url, { clock: true });
  await shows(page, "Live", "#connection");
  mock.silent = true;
  await page.clock.runFor(8_000);
  await shows(page, "The connection to the program is lost.", "#banner");
  mock.silent = false;
  await page.clock.runFor(8_000);
  await shows(page, "Live", "#connection");
  await close(page);
});

test("an orderly end is told from a lost connection", async () => {
  const page = await open(browser, mock.url);
  await shows(page, "Live", "#connection");
  page.serverIsAway = true;
  await mock.finish("5 steps were asked for");
  await shows(page, "The program has ended: 5 steps were asked for.", "#banner");
  await shows(page, "Program ended", "#connection");
  await mock.start(mock.port);
  await shows(page, "Live", "#connection");
  await close(page);
});

test("another process at the same address begins with an empty page", async () => {
  plain(0);
  setWeights(mock);
  const page = await open(browser, mock.url);
  await shows(page, "1 kept", "#conversations-count");
  page.serverIsAway = true;
  await mock.stop();
  mock = new Mock({ tick: 100, state: { ...firstState(), run_id: "another" } });
  await mock.start(Number(new URL(page.url()).port));
  await shows(page, "No conversation has begun yet.");
  await shows(page, "No weights have been set yet.");
  plain(0);
  await shows(page, "1 kept", "#conversations-count");
  await close(page);
});

test("events that did not reach the page are said, and what was in flight then is no longer called so", async () => {
  const page = await open(browser, mock.url);
  mock.journal({ event: "challenged", conversation: 0, turn: 0, challenge: "Well?", uids: [1] });
  await shows(page, "in flight: 0 of 1 scored", ".conversations");
  mock.all("missed", { missed: 1_234 });
  await shows(page, "1,234 events did not reach this page", "#trouble");
  await shows(page, "its end was not seen", ".conversations");
  await close(page);
});

test("all of it works by keys alone", async () => {
  play(mock);
  const page = await open(browser, mock.url);
  await steps(page, 120);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");

  const tabTo = async (matches) => {
    for (let n = 0; n < 80; n += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate((matches) => {
        const node = document.activeElement;
        const marked = node.matches(".scrub") ? node.parentElement : node;
        return {
          here: node.matches(matches),
          outlined: getComputedStyle(marked).outlineStyle !== "none",
          name: node.outerHTML.slice(0, 80),
        };
      }, matches);
      assert.ok(at.outlined, `the focus is seen on ${at.name}`);
      if (at.here) return;
    }
    assert.fail(`no Tab leads to ${matches}`);
  };
  await tabTo("#scores .scrub");
  const value = () => page.locator("#scores .scrub").getAttribute("aria-valuetext");
  const last = await value();
  await page.keyboard.press("ArrowLeft");
  assert.notEqual(await value(), last);
  await tabTo(".conversations summary");
  await page.keyboard.press("Enter");
  await page.locator(".conversations details[open] .answers").waitFor();
  await tabTo(".miners th:nth-child(4) button");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".miners th:nth-child(4)").getAttribute("aria-sort"), "descending");
  await close(page);
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe-core finds nothing in the ${colorScheme} theme`, async () => {
    play(mock);
    mock.state.checks[1] = { name: "model", ok: false, says: "no answer for 40 s" };
    mock.state.ready = false;
    const page = await open(browser, mock.url, { colorScheme });
    await steps(page, 120);
    await page.locator(".conversations summary").nth(3).click();
    await page.locator(".as-table summary").click();
    await accessible(page, `in the ${colorScheme} theme`);
    await picture(page, `mock-${colorScheme}`, { fullPage: true });
    await close(page);
  });
}

test("a phone shows all of it without a sideways scroll", async () => {
  play(mock);
  turn(mock, 900, {
    challenge: LONG.slice(0, 3_000),
    topic: LONG.slice(0, 300),
    completions: [LONG.slice(0, 3_000), ""],
  });
  const page = await open(browser, mock.url, {
    viewport: { width: 360, height: 740 },
    isMobile: true,
    hasTouch: true,
    deviceScaleFactor: 2,
  });
  await steps(page, 120);
  await page.locator(".conversations summary", { hasText: "wordword" }).tap();
  await page.locator(".answers .text").first().waitFor();
  await page.locator(".as-table summary").tap();
  assert.deepEqual(
    await page.evaluate(
      () =>
        [...document.querySelectorAll(".text")].filter((node) => node.scrollWidth > node.clientWidth).length,
    ),
    0,
  );
  const [wide, screen] = await page.evaluate(() => [
    document.scrollingElement.scrollWidth,
    document.scrollingElement.clientWidth,
  ]);
  assert.equal(wide, screen);
  assert.equal(screen, 360);
  await accessible(page, "on a phone");
  await picture(page, "mock-phone");
  await close(page);
});

test("whoever wants no motion gets none", async () => {
  const page = await open(browser, mock.url, { reducedMotion: "reduce" });
  await shows(page, "Live", "#connection");
  assert.equal(
    await page.evaluate(() => getComputedStyle(document.querySelector("main")).transitionDuration),
    "0s",
  );
  await close(page);
});
