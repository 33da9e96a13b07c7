// An experiment's page while several processes write to its database: node writers.mjs SERVER CHROMIUM SCREENSHOTS SPEC
// The page is watched while all jobs run: nothing may fail, and both charts must be updated.

import assert from "node:assert/strict";
import { browser, page, patience, picture, rest, seen, server, until } from "./page.mjs";

const [spec] = rest;

// The event stream of the list, which ends when the page is left; that of an experiment names it.
const LIST_EVENTS = "/api/v1/events";
const failures = [];
const requests = [];
const streams = [];
const path = (request) => request.url().slice(server.length);
page.on("pageerror", (error) => failures.push(String(error)));
page.on("console", (message) => { if (message.type() === "error") failures.push(`console: ${message.text()}`); });
page.on("requestfailed", (request) => path(request) !== LIST_EVENTS && failures.push(`${path(request)}: ${request.failure().errorText}`));
page.on("response", (response) => { if (response.status() >= 400) failures.push(`${path(response)}: ${response.status()}`); });
page.on("request", (request) => { if (path(request).startsWith("/api/v1/events")) streams.push(path(request)); });
page.on("requestfinished", (request) => requests.push({ path: path(request), ms: request.timing().responseEnd }));

// The overview has a square per job beside the charts.
const squares = seen("arm-row").locator("svg[data-state]");
const rows = (state) => seen("arm-row").locator(`svg[data-state=${state}]`).count();

// The jobs wait until the browser has started.
await page.goto(server);
await seen("experiment-row").first().waitFor();
const submitted = await fetch(`${server}/api/v1/experiments`, { method: "POST", body: spec });
assert.equal(submitted.status, 201);
const experiment = (await submitted.json()).id;
console.log(`experiment ${experiment}`);
requests.length = streams.length = 0;
await page.goto(`${server}/experiments/${experiment}?left=train/loss&right=energy/mean`);
await until("every job runs", async () => (await rows("running")) > 0 && (await rows("running")) === (await squares.count()));
const jobs = await squares.count();

// The last step that a chart shows, at the start and now.
const charts = ["chart-accuracy", "chart-energy"].map((id) => ({ id, step: 0, grown: 0, at: Date.now(), longest_ms: 0, again: patience(`${id} goes on`) }));
const began = Date.now();
while ((await rows("running")) === jobs) {
  for (const chart of charts) {
    const step = Number(await seen(chart.id).getAttribute("data-step"));
    const still_ms = Date.now() - chart.at;
    assert(step >= chart.step, `${chart.id} goes back from step ${chart.step} to ${step}`);
    chart.again(step);
    if (step === chart.step) continue;
    Object.assign(chart, { step, grown: chart.grown + 1, at: Date.now(), longest_ms: Math.max(chart.longest_ms, still_ms) });
  }
  await page.waitForTimeout(50);
}
const seconds = (Date.now() - began) / 1000;
await picture("writers");

const slowest = requests.reduce((a, b) => (a.ms > b.ms ? a : b));
console.log(`watched ${jobs} jobs for ${seconds.toFixed(1)} s: ${requests.length} requests, ${streams.length} stream`);
console.log(`slowest request: ${slowest.ms.toFixed(0)} ms, ${slowest.path}`);
for (const { id, step, grown, longest_ms } of charts) {
  console.log(`${id}: grew ${grown} times, to step ${step}; at most ${longest_ms} ms apart`);
}
assert.deepEqual(failures, []);
assert.equal(streams.length, 1, "the stream of events was opened again");
for (const { id, grown } of charts) assert(grown >= 3, `${id} hardly grew`);
await browser.close();
