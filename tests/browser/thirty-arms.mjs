// Every page of a recorded experiment with thirty arms: node thirty-arms.mjs SERVER CHROMIUM SCREENSHOTS
// Takes a picture of each in both themes and at the width of a phone, and checks it with axe.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { browser, complaints, page, screenshots, seen, server, until } from "./page.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const api = async (path) => (await fetch(`${server}/api/v1${path}`)).json();
const [{ id }] = (await api("/experiments")).items;
const jobs = (await api(`/jobs?experiment=${id}&limit=1000`)).items;
const at = `/experiments/${id}`;

const VIEWS = [["light", 1280, 800], ["dark", 1280, 800], ["light", 390, 844], ["light", 1920, 1080]];
const PAGES = [
  ["list", "/", "experiment-row"],
  ["overview", at, "chart-accuracy"],
  ["jobs", `${at}?tab=jobs`, "job-row"],
  ["charts", `${at}?tab=charts`, "chart-loss-all"],
  ["layers", `${at}?tab=layers`, "layers"],
  ["seeds", `${at}?tab=seeds`, "seed-grid"],
  ["results", `${at}?tab=seeds&grid=result`, "seed-grid"],
  ["statistics", `${at}?tab=statistics`, "statistics"],
  ["cost", `${at}?tab=cost`, "cost-chart"],
  ["spec", `${at}?tab=spec`, "resolved-spec"],
  ["warnings", `${at}?tab=warnings`, "warnings"],
  ["job", `/jobs/${jobs[0].id}`, "figure-loss"],
  ["failed-job", `/jobs/${jobs.find((job) => job.state === "failed").id}`, "job-state"],
];

/** Serious faults that axe finds on the page. */
async function faults() {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}

await page.goto(server + at);
await until("the list of arms is complete", async () => (await seen("arm-row").count()) === 30);

for (const [scheme, width, height] of VIEWS) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.setViewportSize({ width, height });
  for (const [name, path, id] of PAGES) {
    await page.goto(server + path);
    await seen(id).first().waitFor();
    await page.waitForLoadState("networkidle");
    await page.screenshot({ path: `${screenshots}/thirty-${name}-${scheme}-${width}.png`, fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert(wide <= 0, `${name} is ${wide} px wider than a window of ${width} px`);
    assert.deepEqual(await faults(), [], `${name}, ${scheme}, ${width} px`);
  }
  console.log(`seen: every page, ${scheme}, ${width} px`);
}

assert.deepEqual(complaints, []);
await browser.close();
