// The console of a real program: SN1_TEST_BINARY's localnet, or one that runs at SN1_CONSOLE_URL.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, close, column, launch, open, picture, shows, sortBy, steps } from "./browser.mjs";

const binary = process.env.SN1_TEST_BINARY;
const running = process.env.SN1_CONSOLE_URL;

let browser;
before(async () => {
  if (binary || running) browser = await launch();
});
after(() => browser?.close());

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

// A localnet with a console, which is killed with the test.
class Localnet {
  constructor(home, port) {
    const flags = [
      "localnet",
      "--neuron.model_id",
      "fake",
      "--steps",
      "2000",
      "--seed",
      "7",
      "--console.listen",
      `127.0.0.1:${port}`,
    ];
    // Short times, so that nobody waits for the slow miner or the chain's limits.
    flags.push("--neuron.timeout", "3", "--localnet.block_time", "0.2");
    const env = {
      PATH: process.env.PATH,
      HOME: home,
      XDG_STATE_HOME: join(home, "state"),
      XDG_CACHE_HOME: join(home, "cache"),
    };
    this.url = `http://127.0.0.1:${port}/`;
    this.output = "";
    this.process = spawn(binary, flags, { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on("data", (data) => (this.output = (this.output + data).slice(-4_000)));
    }
    this.ended = once(this.process, "exit");
  }

  // Until its console answers.
  async up() {
    for (let n = 0; n < 600; n += 1) {
      assert.equal(this.process.exitCode, null, `sn1 ended: ${this.output}`);
      const answer = await fetch(this.url).catch(() => null);
      if (answer?.ok) return;
      await new Promise((done) => setTimeout(done, 100));
    }
    assert.fail(`${this.url} does not answer within a minute: ${this.output}`);
  }

  async kill(signal = "SIGKILL") {
    this.process.kill(signal);
    await this.ended;
  }
}

test(
  "a localnet is watched: five steps, a conversation, the weights, its loss and its return",
  { skip: binary ? false : "SN1_TEST_BINARY names no sn1" },
  async () => {
    const home = await mkdtemp(join(tmpdir(), "sn1-console-"));
    const port = await freePort();
    let net = new Localnet(home, port);
    try {
      await net.up();
      const page = await open(browser, net.url);
      await steps(page, 5);
      await shows(page, "Live", "#connection");

      const summary = page.locator('.conversations li[data-flight="done"] summary').first();
      await summary.click();
      const opened = page.locator(".conversations details[open]");
      await opened.locator(".answers > li").first().waitFor();
      const told = await opened.innerText();
      for (const part of ["Persona", "Challenge", "Reference", "Answers, the best first", "uid "])
        assert.ok(told.includes(part), `${part} in ${told}`);
      const rewards = (await opened.locator(".answers .reward b").allInnerTexts()).map(Number);
      assert.ok(rewards.length > 1);
      assert.deepEqual(
        rewards,
        [...rewards].sort((a, b) => b - a),
      );

      await page.waitForFunction(
        () =>
          [...document.querySelectorAll(".miners tbody tr td:nth-child(4)")].some(
            (cell) => Number(cell.textContent) > 0,
          ),
        null,
        { timeout: 120_000 },
      );
      const head = await sortBy(page, "Weight");
      assert.equal(await head.getAttribute("aria-sort"), "descending");
      const weights = (await column(page, "Weight")).map((text) => Number(text) || 0);
      assert.deepEqual(
        weights,
        [...weights].sort((a, b) => b - a),
      );

      assert.ok((await page.locator(".graph .node").count()) >= 8, "the actors are drawn");
      await page.locator(".as-table summary").click();
      await accessible(page, "with a conversation open");
      await page.locator(".as-table summary").click();
      // Not `summary`: the first is another one by now.
      await opened.locator("summary").click();
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await page.evaluate(() => scrollTo(0, 0));
        await accessible(page, `in the ${colorScheme} theme`);
        await picture(page, colorScheme);
      }
      await page.emulateMedia({ colorScheme: "light" });
      const phone = await open(browser, net.url, {
        viewport: { width: 360, height: 740 },
        isMobile: true,
        hasTouch: true,
        deviceScaleFactor: 2,
      });
      await steps(phone, 5);
      assert.equal(await phone.evaluate(() => document.scrollingElement.scrollWidth), 360);
      await accessible(phone, "on a phone");
      await picture(phone, "phone");
      await close(phone);

      page.serverIsAway = true;
      await net.kill();
      await shows(page, "The connection to the program is lost.", "#banner");
      await picture(page, "disconnected");

      net = new Localnet(home, port);
      await net.up();
      await shows(page, "Live", "#connection");
      page.serverIsAway = false;
      assert.equal(await page.locator("#banner").isVisible(), false);
      await steps(page, 1);

      page.serverIsAway = true;
      await net.kill("SIGTERM");
      await page.waitForFunction(() => document.body.classList.contains("stale"));
      await close(page);
    } finally {
      await net.kill();
      await rm(home, { recursive: true, force: true });
    }
  },
);

if (running)
  test("a console that runs elsewhere is sound", async () => {
    const page = await open(browser, running);
    await shows(page, "Live", "#connection");
    await accessible(page, running);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await picture(page, `running-${colorScheme}`);
    }
    await close(page);
  });
