// The table over all jobs: node runs.mjs SERVER CHROMIUM SCREENSHOTS
// The server has the recorded experiment with thirty arms and no slot. Each task of a newcomer takes at most five actions.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { browser, complaints, page, picture, seen, server, until } from "./page.mjs";

const api = async (path) => (await fetch(`${server}/api/v1${path}`)).json();

const overrides = { name: "later", seeds: [7], tags: ["paper"], train: { batch_size: 64 } };
const answer = await fetch(`${server}/api/v1/experiments`, { method: "POST", body: JSON.stringify({ recipe: "digits-mlp", overrides }) });
assert.equal(answer.status, 201);

const heading = (name) => seen("runs").getByRole("button", { name });
const ids = () => seen("run").evaluateAll((rows) => rows.map((row) => Number(row.dataset.job)));
const runs = (count) => async () => (await seen("run").count()) === count;
async function start() {
  await page.goto(server);
  await page.getByRole("link", { name: "Runs", exact: true }).click();
  await seen("runs").waitFor();
}

// Which run was best of all? Two actions.
await start();
await heading("test error").click();
const best = await api("/jobs?sort=test_error&archived=false&limit=100");
await until("the best run is first", async () => (await ids())[0] === best.items[0].id);
assert.deepEqual(await ids(), best.items.map(({ id }) => id));
assert.match(page.url(), /\/runs\?sort=test_error$/);
assert.equal(await seen("runs").getByRole("columnheader", { name: /test error/ }).getAttribute("aria-sort"), "ascending");
await picture("runs-best");

// The rest is read page by page, and the job and its experiment are linked.
await page.getByRole("button", { name: "Show more jobs" }).click();
await until("all jobs are shown", runs(153));
await page.reload();
await until("the address holds the order", async () => (await ids())[0] === best.items[0].id);
await seen("run").first().getByRole("link", { name: "thirty-arms" }).click();
await page.waitForURL(`${server}/experiments/1*`);
await page.goBack();
await seen("run").first().getByRole("link", { name: String(best.items[0].id), exact: true }).click();
await page.waitForURL(`${server}/jobs/${best.items[0].id}`);

// Find all runs with batch 64. Two actions; the field is there already.
await start();
await page.getByLabel("Value").fill("64");
await page.getByLabel("Value").press("Enter");
await until("the three runs are found", runs(3));
assert.equal(new URL(page.url()).searchParams.get("where"), "train.batch_size = 64");
assert.equal(await page.getByRole("textbox", { name: "Condition" }).inputValue(), "train.batch_size = 64");

// A comparison is added by choices, and another one by typing.
await page.getByLabel("Field", { exact: true }).selectOption("tags");
await page.getByLabel("Operator").selectOption("!=");
await page.getByLabel("Value").fill("paper");
await page.getByRole("button", { name: "Add", exact: true }).click();
await page.getByText("No jobs match.").waitFor();
const condition = page.getByRole("textbox", { name: "Condition" });
await condition.fill("train.optimizer.learning_rate > 0.1 and stat = failed");
await condition.press("Enter");
await until("the mistake is shown with its place", async () => /at character 41: .*did you mean `state`/.test(await seen("runs-hint").innerText()));
assert.equal(await condition.getAttribute("aria-invalid"), "true");
await picture("runs-mistake");
await condition.fill("train.optimizer.learning_rate > 0.1 and state = failed");
await condition.press("Enter");
const failed = await api("/jobs?where=train.optimizer.learning_rate%20>%200.1%20and%20state%20=%20failed");
assert(failed.items.length > 0);
await until("the failed runs are found", runs(failed.items.length));
assert.equal(await condition.getAttribute("aria-invalid"), "false");

// Fields that some jobs lack.
await page.getByRole("button", { name: "Clear", exact: true }).click();
await page.getByLabel("Field", { exact: true }).selectOption("test_error");
await page.getByLabel("Operator").selectOption("is missing");
assert(await page.getByLabel("Value").isDisabled());
await page.getByRole("button", { name: "Add", exact: true }).click();
const unmeasured = await api("/jobs?where=test_error%20=%20null");
await until("the runs without a test error are found", runs(unmeasured.items.length));
assert.equal(await condition.inputValue(), "test_error = null");
await condition.fill("train.optimizer.learning_rate > 0.1 and state = failed");
await condition.press("Enter");
await until("the failed runs are found again", runs(failed.items.length));

// Columns are chosen, and the file has the same rows and columns.
await seen("columns").click();
await page.getByLabel("Find a field").fill("method");
await page.getByRole("checkbox", { name: "method.kind" }).check();
await page.keyboard.press("Escape");
await heading(/^kind/).waitFor();
const [csv] = await Promise.all([page.waitForEvent("download"), seen("runs-csv").click()]);
const lines = readFileSync(await csv.path(), "utf8").trim().split("\n");
assert.equal(lines[0], "id,experiment,arm,seed,state,test_error,train.optimizer.learning_rate,train.batch_size,seconds,method.kind");
assert.equal(lines.length, failed.items.length + 1);

// Which rate is best for each arm? Three actions.
await start();
await page.getByLabel("group by").selectOption("method");
await page.getByLabel("and by").selectOption("train.optimizer.learning_rate");
const { groups } = await api("/jobs/groups?by=method,train.optimizer.learning_rate&archived=false");
await until("the groups are shown", async () => (await seen("group").count()) === groups.length);
const first = groups.findIndex(({ values }) => values[0] === "baseline");
assert.match(await seen("group").nth(first).innerText(), new RegExp(`^baseline\\s+${groups[first].values[1]}\\s.*best mean$`, "s"));
assert.equal(await seen("group").filter({ hasText: "best mean" }).count(), new Set(groups.filter(({ mean }) => mean !== null).map(({ values }) => values[0])).size);
await picture("runs-groups");
await seen("group").nth(first).getByRole("link", { name: /^Show/ }).click();
await until("the runs of the group are shown", runs(groups[first].jobs));
await page.goBack();
await seen("groups").waitFor();

// A job is in the group of each tag, and only figures of results can be compared.
await start();
await page.getByLabel("group by").selectOption("tags");
await until("every tag is a group", async () => (await seen("group").count()) === 2);
const figures = await page.getByLabel("figure").locator("option").allInnerTexts();
assert(figures.includes("energy") && !figures.includes("trial"), figures.join());
await seen("group").filter({ hasText: "paper" }).getByRole("link", { name: "Show 3 jobs" }).click();
await until("the runs with the tag are shown", runs(3));

// An address with an unknown column is explained and can be left; its condition stays.
await page.goto(`${server}/runs?columns=nope&where=seed+%3D+7`);
await seen("rejected-view").waitFor();
assert.match(await seen("rejected-view").innerText(), /there is no field `nope`/);
assert.equal(await condition.getAttribute("aria-invalid"), "false");
await seen("rejected-view").getByRole("link").click();
await until("the usual columns of its jobs are shown", runs(3));

// A new job appears by itself, and archived experiments are shown on request.
await start();
await until("a page is shown", runs(100));
const more = await fetch(`${server}/api/v1/experiments`, { method: "POST", body: JSON.stringify({ recipe: "digits-mlp", overrides: { ...overrides, name: "live" } }) });
const newest = (await more.json()).jobs.at(-1).id;
await until("the newest job is first", async () => (await ids())[0] === newest);
await fetch(`${server}/api/v1/experiments/3`, { method: "PATCH", headers: { "content-type": "application/json" }, body: JSON.stringify({ archived: true }) });
await until("an archived one has gone", async () => !(await ids()).includes(newest));
await page.getByRole("checkbox", { name: "archived", exact: true }).check();
await until("it is back", async () => (await ids()).includes(newest));

// The keyboard alone: rows are selected and opened.
await page.getByRole("heading", { name: "Runs" }).click();
await page.keyboard.press("j");
await page.keyboard.press("Enter");
await page.waitForURL(`${server}/jobs/${newest}`);
assert.deepEqual(complaints, []);

await browser.close();
