// The tuning of experiments, during and after it: node tuning.mjs SERVER CHROMIUM SCREENSHOTS
// The server has at least one slot and no experiment yet.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { browser, complaints, look, page, picture, screenshots, seen, server, tab, until } from "./page.mjs";

const RATE = "optimizer.learning_rate";
const ARMS = [
  { name: "baseline", method: { kind: "baseline" } },
  { name: "opt-cayley", method: { kind: "opt", transform: "cayley" } },
];

async function api(path, method = "GET", body) {
  const answer = await fetch(`${server}/api/v1${path}`, { method, body: body && JSON.stringify(body), headers: { "content-type": "application/json" } });
  assert(answer.ok, await answer.clone().text());
  return answer.json();
}

async function submit(name, seeds, tune, arms = ARMS) {
  const train = { epochs: 2, batch_size: 32, data: { name: "digits", validation: 0.2 }, model: { kind: "mlp", hidden: [32] }, optimizer: { kind: "sgd", learning_rate: 0.1, momentum: 0.9 } };
  return (await api("/experiments", "POST", { name, seeds, train, tune, arms })).id;
}

const number = async (id, attribute) => Number(await seen(id).getAttribute(attribute));
const cells = async (arm) => seen("choices").locator(`tr[data-arm="${arm}"] td`).allInnerTexts();
/** The tuning when the choices of two arms are made. */
async function tuned(id) {
  await until(`the choices of #${id} are made`, async () => {
    const { frozen, trials } = (await api(`/experiments/${id}`)).tuning;
    return frozen === ARMS.length && trials.queued + trials.running === 0;
  });
  return api(`/experiments/${id}/tuning`);
}

// The last trial of each arm is paused, so that the page can be seen between the first trials and the choices.
const space = { [RATE]: { from: 0.003, to: 1.0, scale: "log" } };
const first = await submit("tuned", [0, 1, 2, 3, 4], { trials: 4, seeds: [1000], space });
const trials = (await api(`/jobs?experiment=${first}&limit=1000`)).items;
const last = trials.filter(({ trial }) => trial === 3);
assert.equal(last.length, ARMS.length);
await Promise.all(last.map(({ id }) => api(`/jobs/${id}/pause`, "POST")));

await page.goto(`${server}/experiments/${first}`);
await until("the overview says how far the tuning is", async () => /^Tuning: \d of 8 trials have ended; no choice is made yet\./.test(await seen("tuned").innerText()));
await seen("tuned").getByRole("button", { name: "Tuning" }).click();
assert.match(page.url(), /tab=tuning$/);
const chart = `chart-trials-${RATE}`;
await until("dots appear without a reload", async () => (await number(chart, "data-dots")) === 6);
await until("the table counts them", async () => (await cells("baseline"))[4] === "3 of 4 trials ended");
assert.equal((await cells("opt-cayley"))[3], "–");
await page.getByText("no arm has ended all of its trials yet").waitFor();
await page.mouse.move(1, 1);
await look("tuning-during");

// Hidden arms are hidden here, too.
await seen("legend-baseline").click();
await until("an arm is hidden", async () => (await number(chart, "data-dots")) === 3);
await seen("legend-baseline").click();

// The choices arrive without a reload.
await Promise.all(last.map(({ id }) => api(`/jobs/${id}/resume`, "POST")));
const tuning = await tuned(first);
await until("all trials and choices are on the page", async () => (await number(chart, "data-dots")) === 8 && (await cells("baseline"))[3].startsWith("trial "));
for (const arm of tuning.arms) {
  const best = arm.candidates[0];
  const row = await cells(arm.arm);
  assert.deepEqual(row.slice(1, 5), [String(best.point[RATE]), best.score.toFixed(2), `trial ${arm.chosen}`, "4 of 4 trials ended"], `${row}`);
  assert.match(row.at(-1), /^frozen /);
}
const warnings = async () => (await seen("edge-warnings").count()) ? (await seen("edge-warnings").locator("li").allInnerTexts()).map((text) => text.replace(/^⚠\s*/, "")) : [];
assert.deepEqual(await warnings(), tuning.arms.flatMap((arm) => arm.warnings));

// The best of k trials against their number and against time; the address keeps the choice.
const points = async () => number("chart-best-of", "data-points");
await until("the best of k trials is drawn", async () => (await points()) === 8);
assert.deepEqual([await number("chart-best-of", "data-from"), await number("chart-best-of", "data-to")], [1, 4]);
await page.getByRole("button", { name: "training time" }).click();
await until("the axis is one of seconds", async () => (await number("chart-best-of", "data-from")) === 0);
const longest = Math.max(...tuning.arms.map((arm) => 4 * arm.trial_seconds));
assert(Math.abs((await number("chart-best-of", "data-to")) - longest) < 1e-9);
assert.match(page.url(), /budget=seconds/);
await page.reload();
await until("a reload keeps the axis", async () => (await points()) === 8 && (await number("chart-best-of", "data-from")) === 0);
await page.getByRole("button", { name: "trials", exact: true }).click();
const best = await seen("chart-best-of").boundingBox();
await page.mouse.move(best.x + best.width * 0.4, best.y + best.height * 0.4);
await until("the values at the cursor have their intervals", async () => /^trials \d\n.*\[[\d.]+, [\d.]+\]/s.test(await seen("hover-values").innerText()));
await picture("tuning-best");
await page.mouse.move(1, 1);

// A dot has a card, which a click keeps open; it leads to the job.
const chosen = tuning.arms[1].candidates[0];
await seen(chart).focus();
await page.keyboard.press("ArrowRight");
await until("the first dot has a card", async () => (await seen("dot-card").innerText()).includes("trial "));
const card = async () => (await seen("dot-card").count()) ? seen("dot-card").innerText() : "";
for (let press = 0; press < 8 && !(/^opt-cayley/.test(await card()) && (await card()).includes(`trial ${chosen.trial}\n`)); press++) await page.keyboard.press("ArrowRight");
assert.match(await card(), /^opt-cayley[\s\S]*chosen/);
assert((await card()).includes(String(chosen.point[RATE])) && (await card()).includes(`${chosen.runs[0].validation_error.toFixed(2)} %`), await card());
await picture("tuning-card");
await page.keyboard.press("Enter");
await page.keyboard.press("Enter");
await page.waitForURL(`${server}/jobs/${chosen.runs[0].job_id}`);
await page.goBack();
await until("the dots are drawn again", async () => (await number(chart, "data-dots")) === 8);
await look("tuning-after");
await page.setViewportSize({ width: 390, height: 844 });
await page.screenshot({ path: `${screenshots}/tuning-phone.png`, fullPage: true });
await page.setViewportSize({ width: 1280, height: 800 });

// On the overview, one line has the choices.
await tab("Overview");
const line = `Chosen by validation error from 4 trials per arm (${RATE}): ${tuning.arms.map(({ arm, candidates }) => `${arm} ${candidates[0].point[RATE]}`).join("; ")}.`;
await until("the overview has the choices", async () => (await seen("tuned").innerText()) === `${line} Tuning`);
await until("the confirming runs are drawn", async () => (await number("chart-accuracy", "data-arms")) === 2);
await look("tuning-overview");

// A range that ends too low, a field with few values, two seeds, and an arm of which every trial diverges.
const grid = {
  trials: 12, seeds: [1000, 1001], sampler: "grid",
  space: { [RATE]: { from: 0.001, to: 0.02, scale: "log" }, "optimizer.weight_decay": { values: [0, 0.0001, 0.01] } },
};
const wild = { name: "wild", method: { kind: "soft_orthogonal", form: "frobenius", weight: 1 }, tune: { [RATE]: { from: 100, to: 1000, scale: "log" } } };
const second = await submit("narrow", [0], grid, [...ARMS, wild]);
const narrow = await tuned(second);
await page.goto(`${server}/experiments/${second}?tab=tuning`);
for (const field of [RATE, "optimizer.weight_decay"]) {
  await until(`all trials are over ${field}`, async () => (await number(`chart-trials-${field}`, "data-dots")) === 36);
  assert.equal(await number(`chart-trials-${field}`, "data-failed"), 12, "failed trials are shown");
}
const expected = narrow.arms.flatMap((arm) => arm.warnings);
assert(expected.some((warning) => warning === `the best ${RATE} of baseline, 0.02, is the largest tried: widen the range`), `${expected}`);
assert.deepEqual(await warnings(), expected);
assert.equal((await cells("wild"))[5], "12 of 12 trials ended, 12 failed");
await until("the page says why an arm has no choice", async () => (await cells("wild")).at(-1).startsWith("every trial has failed"));
await look("tuning-narrow");
await page.getByRole("button", { name: "log", exact: true }).click();
await until("the axis is logarithmic", async () => (await number(chart, "data-low")) > 0);
assert.match(page.url(), /log=tuning/);
await look("tuning-narrow-log");

// The table of the runs as a file.
await page.locator("section").filter({ has: seen(chart) }).locator("summary").click();
const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "CSV", exact: true }).click()]);
const rows = readFileSync(await download.path(), "utf8").trim().split("\r\n");
assert.equal(rows[0], `arm,trial,seed,${RATE},optimizer.weight_decay,state,end_reason,validation_error,seconds,chosen`);
assert.equal(rows.length, 1 + 3 * 12 * 2);

// Trials that are stopped early are hollow dots at the error of their rung, and the page says what they saved.
const third = await submit("halved", [0], { trials: 4, seeds: [1000], space, halving: { rungs: [0.4], keep: 0.5 } });
const halved = await tuned(third);
await page.goto(`${server}/experiments/${third}?tab=tuning`);
await until("all trials are drawn", async () => (await number(chart, "data-dots")) === 8);
for (const { arm, stopped_early } of halved.arms) {
  assert.equal(stopped_early.trials, 2);
  assert.equal((await cells(arm))[4], "4 of 4 trials ended, 2 stopped early (25% of updates saved)");
}
assert.equal(await seen("chart-best-of").count(), 0, "the best of k trials is not defined");
await page.getByText("wait for each other after 40% of their updates").waitFor();
await look("tuning-halved");
await tab("Jobs");
await until("the jobs are listed", async () => (await seen("job-row").count()) > 8);
const wide = await seen("job-row").locator("td").evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.innerText));
assert.deepEqual(wide, [], "the text of a cell is wider than its column");
const early = (await api(`/jobs?experiment=${third}&limit=1000`)).items.find((job) => job.end_reason === "stopped_early");
await page.goto(`${server}/jobs/${early.id}`);
await until("the job has its end", async () => (await seen("job-state").innerText()) === "succeeded, stopped early");
assert.match(await seen("job-result").innerText(), /^last validation error\s+[\d.]+ %/);

// An experiment that is not tuned has no such tab.
const train = { epochs: 1, data: { name: "digits" }, model: { kind: "mlp", hidden: [8] } };
const plain = (await api("/experiments", "POST", { name: "plain", seeds: [0], train: { ...train, optimizer: { kind: "sgd", learning_rate: 0.1 } }, arms: ARMS.slice(0, 1) })).id;
await page.goto(`${server}/experiments/${plain}?tab=tuning`);
await until("the overview is shown", async () => (await page.getByRole("tab", { name: "Overview" }).getAttribute("aria-selected")) === "true");
assert.equal(await page.getByRole("tab", { name: "Tuning" }).count(), 0);
assert.deepEqual(complaints, []);
await browser.close();
