// Shared by the scripts of this folder: a browser with one page, and waits.
// node SCRIPT SERVER CHROMIUM SCREENSHOTS MORE...

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

/** `rest` is what one script alone is given. */
export const [server, executablePath, screenshots, ...rest] = process.argv.slice(2);
mkdirSync(screenshots, { recursive: true });

/** A single action of the browser that takes this long is stuck. */
const STUCK_MS = 600_000;

/**
 * Looks at something that stands still before it counts as stuck, which takes two minutes at least. They are counted
 * and not timed: on a loaded machine each look takes longer, and so the patience does.
 */
const STILL = 2400;

/** Looks before a script gives up on something that still moves. */
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

/** Errors that no code of the page has caught. */
export const complaints = [];
page.on("pageerror", (error) => complaints.push(String(error)));

export const seen = (id) => page.getByTestId(id);
export const picture = (name) => page.screenshot({ path: `${screenshots}/${name}.png` });

/** A wait for one thing: called after each failed check with the state that may change; it restarts when that has changed. */
export function patience(what) {
  let [last, still, looks] = [undefined, 0, 0];
  return (state) => {
    still = state === last ? still + 1 : 0;
    last = state;
    looks += 1;
    assert(still < STILL && looks < MOST,
      `waited in vain until ${what}; last seen: ${state || "nothing"}; the page complains of: ${complaints.join("; ") || "nothing"}`);
  };
}

/** The progress of the server's jobs; empty without a server. */
async function jobs() {
  const answer = await fetch(`${server}/api/v1/jobs?limit=1000`).catch(() => undefined);
  if (!answer?.ok) return "";
  return (await answer.json()).items.map(({ id, state, attempt, step }) => `#${id} ${state} ${attempt} ${step}`).join(", ");
}

/** Waits for the page, as long as the server's jobs move. */
export async function until(what, condition) {
  const again = patience(what);
  while (!(await condition())) {
    again(await jobs());
    await page.waitForTimeout(50);
  }
  console.log(`seen: ${what}`);
}
