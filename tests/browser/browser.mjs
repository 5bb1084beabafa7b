// A real Chromium, and what every page in it is watched for.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";

// Without these, Chromium looks for its maker's servers at every start.
const QUIET = [
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
];

export const launch = () =>
  chromium.launch({
    executablePath: process.env.SN1_CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", ...QUIET],
  });

// A page at `url`, which is watched from before it is loaded.
export async function open(browser, url, options = {}) {
  const { clock, ...rest } = options;
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...rest });
  const page = await context.newPage();
  if (clock) await page.clock.install();
  const origin = new URL(url).origin;
  const seen = (page.seen = { errors: [], strangers: [], dialogs: [], requests: 0 });
  page.on("console", (message) => {
    // That a server which was stopped does not answer is what such a test is about.
    const unanswered = page.serverIsAway && /net::ERR_/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !unanswered) seen.errors.push(message.text());
  });
  page.on("pageerror", (error) => seen.errors.push(String(error.stack ?? error)));
  page.on("dialog", (dialog) => {
    seen.dialogs.push(dialog.message());
    return dialog.dismiss();
  });
  page.on("request", (request) => {
    seen.requests += 1;
    const { protocol, origin: from } = new URL(request.url());
    if (from !== origin && protocol !== "data:") seen.strangers.push(request.url());
  });
  context.on("page", (other) => other !== page && seen.strangers.push(`a window: ${other.url()}`));
  await page.goto(url);
  return page;
}

export async function close(page) {
  const { errors, strangers, dialogs, requests } = page.seen;
  assert.deepEqual({ errors, strangers, dialogs }, { errors: [], strangers: [], dialogs: [] });
  assert.ok(requests > 3, "the page and its scripts were requested");
  await page.context().close();
}

// Every rule but those of level AAA, experimental ones too.
export async function accessible(page, when) {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => {
    const rules = window.axe
      .getRules()
      .filter(({ tags }) => !tags.includes("wcag2aaa") && !tags.includes("deprecated"));
    return window.axe.run(document, {
      rules: Object.fromEntries(rules.map(({ ruleId }) => [ruleId, { enabled: true }])),
    });
  });
  const told = violations.map(
    ({ id, impact, nodes }) =>
      `${impact} ${id}: ${nodes
        .slice(0, 4)
        .map((node) => `${node.target} ${node.any[0]?.message ?? ""}`)
        .join(" | ")}`,
  );
  assert.deepEqual(told, [], `axe-core ${when}`);
  assert.ok(passes.length > 20, "axe-core looked at the page");
}

export async function picture(page, name, options = {}) {
  const folder = process.env.SN1_SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), ...options });
}

export const shows = (page, text, where = "body") =>
  page.waitForFunction(
    ([where, text]) => document.querySelector(where)?.innerText.includes(text),
    [where, text],
  );

export const steps = (page, least) =>
  page.waitForFunction(
    (least) => {
      const tile = [...document.querySelectorAll("#vitals .tile")].find(
        (tile) => tile.firstChild.textContent === "Steps",
      );
      return Number(tile?.querySelector(".big").textContent.replaceAll(",", "")) >= least;
    },
    least,
    { timeout: 120_000 },
  );

// The texts of a column of the miners' table, from the top.
export const column = (page, title) =>
  page.evaluate((title) => {
    const heads = [...document.querySelectorAll(".miners thead th")];
    const at = heads.findIndex((head) => head.innerText.startsWith(title));
    return [...document.querySelectorAll(".miners tbody tr")].map((row) => row.children[at].innerText.trim());
  }, title);

export async function sortBy(page, title) {
  const head = page.locator(".miners thead th", {
    has: page.getByRole("button", { name: title, exact: true }),
  });
  await head.getByRole("button").click();
  return head;
}
