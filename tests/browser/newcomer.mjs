// Ten tasks of a newcomer, each from the first page in at most five actions: node newcomer.mjs SERVER CHROMIUM SCREENSHOTS
// The server has at least one slot, no GPU, and the recorded experiment with thirty arms.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { browser, complaints, page, picture, seen, server, until } from "./page.mjs";

const MOST = 5;
const api = async (path) => (await fetch(`${server}/api/v1${path}`)).json();

/** Submits two arms of the demo, one epoch of a small network. */
async function submit(name, { seeds = [0, 1], ...train } = {}, rest = {}) {
  const overrides = { name, seeds, train: { epochs: 1, model: { hidden: [16] }, ...train }, ...rest };
  const answer = await fetch(`${server}/api/v1/experiments`, { method: "POST", body: JSON.stringify({ recipe: "digits-mlp", overrides }) });
  assert.equal(answer.status, 201, await answer.clone().text());
  return (await answer.json()).id;
}

/** Each counts as an action of the reader. */
let actions = 0;
const counted = (action) => async (...given) => {
  actions += 1;
  return action(...given);
};
const click = counted((place) => place.click());
const type = counted((place, text) => place.fill(text));
const press = counted((place, key) => place.press(key));
const select = counted((place, option) => place.selectOption(option));

async function task(what, work) {
  await page.goto(server);
  await seen("experiment-row").first().waitFor();
  actions = 0;
  await work();
  assert(actions <= MOST, `${what} took ${actions} actions`);
  console.log(`done in ${actions} actions: ${what}`);
}

/** The oldest experiment of that name, which is the last one in the list. */
const row = (name) => seen("experiment-row").filter({ hasText: name }).last();
const link = (name) => page.getByRole("link", { name, exact: true });
const button = (name) => page.getByRole("button", { name, exact: true });
/** The first download after an action. */
async function downloaded(action) {
  const [download] = await Promise.all([page.waitForEvent("download"), action()]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
}

const narrow = await submit("narrow");
const batches = await submit("large-batches", { batch_size: 64 });
await until("both have ended", async () => (await api("/experiments")).items.every(({ counts }) => counts.queued + counts.running === 0));
const waiting = await submit("needs-a-gpu", {}, { resources: { device: "cuda" } });
const cancelled = await submit("cancelled-by-mistake", { epochs: 4 });
await fetch(`${server}/api/v1/experiments/${cancelled}/cancel`, { method: "POST" });
await until("it is cancelled", async () => (await api(`/experiments/${cancelled}`)).counts.cancelled > 0);

/** The rate of each method with the lowest mean error, from the figures of the arms, whose names end with the rate. */
const best = {};
const results = (await api("/experiments/1/comparison")).arms.filter(({ mean }) => mean !== null);
for (const [method, name] of [["baseline", /^baseline(?:-rate-(.*))?$/], ["opt:cayley", /^opt-cayley-(.*)$/], ["opt:descent", /^opt-descent-(.*)$/]]) {
  const own = results.filter(({ arm }) => name.test(arm)).sort((a, b) => a.mean - b.mean);
  best[method] = name.exec(own[0].arm)[1] ?? "0.1";
}

await task("which rate is best for each arm", async () => {
  await click(link("Runs"));
  await type(page.getByRole("textbox", { name: "Condition" }), "experiment = thirty-arms");
  await press(page.getByRole("textbox", { name: "Condition" }), "Enter");
  await select(page.getByLabel("group by"), "method");
  await select(page.getByLabel("and by"), "method.learning_rate");
  const marked = (method) => seen("group").filter({ hasText: method }).filter({ hasText: "best mean" }).locator("td").nth(1);
  for (const method of ["baseline", "opt:cayley", "opt:descent"]) await until(`the best rate of ${method} is marked`, async () => (await marked(method).first().innerText()) === best[method]);
});

await task("which run was best of all", async () => {
  const [best] = (await api("/jobs?sort=test_error&limit=1")).items;
  await click(link("Runs"));
  await click(seen("runs").getByRole("button", { name: "test error" }));
  await until("the best run is first", async () => (await seen("run").first().getAttribute("data-job")) === String(best.id));
});

await task("compare two experiments", async () => {
  await click(page.getByRole("checkbox", { name: `Compare narrow #${narrow}` }));
  await click(page.getByRole("checkbox", { name: `Compare large-batches #${batches}` }));
  await click(seen("compare"));
  await until("the arms of both are shown", async () => (await seen("arm-row").count()) === 6);
});

await task("clone an experiment with a change", async () => {
  await click(row("narrow"));
  await click(seen("more-actions"));
  await click(link("New experiment from this one"));
  await until("the copy is valid", async () => (await seen("dry-run").getAttribute("data-valid")) === "true");
  await type(page.getByLabel("Learning rate"), "0.05");
  await until("the change is valid", async () => (await seen("dry-run").getAttribute("data-valid")) === "true" && (await button("Submit").isEnabled()));
  await click(button("Submit"));
  await page.waitForURL(`${server}/experiments/*`);
  const copy = await api(`/experiments/${new URL(page.url()).pathname.split("/").at(-1)}`);
  assert.deepEqual(copy.spec.arms.map(({ train }) => train?.optimizer?.learning_rate ?? copy.spec.train.optimizer.learning_rate), Array(copy.arms.length).fill(0.05));
});

await task("delete an experiment", async () => {
  const gone = (await api("/experiments")).items.find(({ name }) => name === "large-batches");
  await click(row("large-batches"));
  await click(seen("more-actions"));
  await click(button("Delete"));
  await type(seen("delete-name"), "large-batches");
  await click(seen("delete-experiment"));
  await until("it is gone", async () => (await fetch(`${server}/api/v1/experiments/${gone.id}`)).status === 404);
});

await task("mail a report", async () => {
  await click(row("narrow"));
  await click(seen("more-actions"));
  const { name, text } = await downloaded(() => click(link("Report")));
  assert.match(name, /\.html$/);
  assert.match(text, /<svg/);
  assert.doesNotMatch(text, /<script|src="http|href="http/);
});

await task("find all runs with batches of 64", async () => {
  const expected = (await api("/jobs?limit=1000&where=train.batch_size%20=%2064")).items.length;
  await click(link("Runs"));
  await type(page.getByRole("textbox", { name: "Condition" }), "train.batch_size = 64");
  await press(page.getByRole("textbox", { name: "Condition" }), "Enter");
  await until("they are found", async () => (await seen("run").count()) === expected);
});

await task("export a figure for a paper", async () => {
  await click(row("thirty-arms"));
  await until("it is drawn", async () => Number(await seen("chart-accuracy").getAttribute("data-points")) > 0);
  await click(seen("menu-chart-accuracy"));
  const { name, text } = await downloaded(() => click(button("SVG")));
  assert.match(name, /\.svg$/);
  assert.match(text, /^<svg/);
});

await task("see why a job waits", async () => {
  await click(row("needs-a-gpu"));
  await until("the reason is shown", async () => /GPU|cuda/i.test(await seen("waiting").innerText()));
  await picture("newcomer-waiting");
});

await task("undo a cancel", async () => {
  await click(row("cancelled-by-mistake"));
  await click(seen("retry-experiment"));
  await until("its jobs run again", async () => (await api(`/experiments/${cancelled}`)).counts.cancelled === 0);
});

await fetch(`${server}/api/v1/experiments/${waiting}/cancel`, { method: "POST" });
assert.deepEqual(complaints, []);
await browser.close();
