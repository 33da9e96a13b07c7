// Shared by the scripts of this folder: a browser with one page, and waits.
// node SCRIPT SERVER CHROMIUM SCREENSHOTS MORE...

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

/** `rest` has the arguments of the individual script. */
export const [server, executablePath, screenshots, ...rest] = process.argv.slice(2);
mkdirSync(screenshots, { recursive: true });

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A single action of the browser that takes this long is stuck. */
const STUCK_MS = 600_000;

/**
 * Number of unchanged polls after which something counts as stuck, at least two minutes. Polls are counted rather than
 * timed, so that the limit grows on a loaded machine, where each poll takes longer.
 */
const STILL = 2400;

/** Number of polls after which a script gives up even if the state still changes. */
const MOST = 36_000;

export const browser = await chromium.launch({
  executablePath,
  timeout: STUCK_MS,
  // The browser itself must not use the network.
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
export const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light", acceptDownloads: true });
export const page = await context.newPage();
page.setDefaultTimeout(STUCK_MS);

/** Uncaught errors of the page. */
export const complaints = [];
page.on("pageerror", (error) => complaints.push(String(error)));

export const seen = (id) => page.getByTestId(id);
/** Whether the page has the server's verdict; the badge beside it replaces its first words. */
export async function showsVerdict(verdict) {
  const shown = (await seen("verdict").innerText()).trim().replaceAll("−", "-");
  return shown.length > 40 && verdict.endsWith(shown);
}
/** Opens a tab of an experiment's page. */
export const tab = (name) => page.getByRole("tab", { name, exact: true }).click();
export const picture = (name) => page.screenshot({ path: `${screenshots}/${name}.png` });

/** A wait for one condition, called after each failed check with the state that may change. A change restarts the limit. */
export function patience(what) {
  let [last, still, looks] = [undefined, 0, 0];
  return (state) => {
    still = state === last ? still + 1 : 0;
    last = state;
    looks += 1;
    assert(still < STILL && looks < MOST,
      `waited in vain until ${what}; last seen: ${state || "nothing"}; errors of the page: ${complaints.join("; ") || "nothing"}`);
  };
}

/** The progress of the server's jobs; empty without a server. */
async function jobs() {
  const answer = await fetch(`${server}/api/v1/jobs?limit=1000`).catch(() => undefined);
  if (!answer?.ok) return "";
  return (await answer.json()).items.map(({ id, state, attempt, step }) => `#${id} ${state} ${attempt} ${step}`).join(", ");
}

/** Waits for the page, as long as the server's jobs make progress. */
export async function until(what, condition) {
  const again = patience(what);
  while (!(await condition())) {
    again(await jobs());
    await page.waitForTimeout(50);
  }
  console.log(`seen: ${what}`);
}

const ALL_RULES = {};
const COLOUR_RULES = { runOnly: ["color-contrast", "link-in-text-block"] };

/** Themes and sizes of the window, each with those rules of axe that it could break and the views before it could not. */
export const VIEWS = [
  { theme: "light", width: 1280, height: 800, rules: ALL_RULES },
  { theme: "dark", width: 1280, height: 800, rules: COLOUR_RULES },
  { theme: "light", width: 390, height: 844, rules: ALL_RULES },
  { theme: "dark", width: 390, height: 844, rules: null },
];

/** Sets the theme and the size of the window. */
export async function view({ theme, width, height }) {
  await page.emulateMedia({ colorScheme: theme });
  await page.setViewportSize({ width, height });
}

/** Serious faults that axe finds on the page by these rules. */
export async function faults(rules) {
  if (!rules) return [];
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  // Without a report of the rules that are kept, a large page takes half of the time.
  const options = { resultTypes: ["violations"], ...rules };
  const { violations } = await page.evaluate((options) => window.axe.run(document, options), options);
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}

/** Checks the page in both themes and on a narrow screen: screenshots, no serious fault, nothing wider than the screen. */
export async function look(name) {
  for (const { theme, width, height, rules } of VIEWS) {
    await view({ theme, width, height });
    // A chart takes its new width a frame later.
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
    await until(`${name} is not wider than ${width} pixels`, fits);
    await page.screenshot({ path: `${screenshots}/${name}-${theme}-${width}.png` });
    assert.deepEqual(await faults(rules), [], `${name} in the ${theme} theme at ${width} pixels`);
  }
  await view(VIEWS[0]);
}
