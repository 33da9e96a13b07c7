// From a recipe to its results, page by page: node pages.mjs SERVER CHROMIUM SCREENSHOTS
// The server has at least one slot and no experiment yet. The script prints when it may be killed.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { browser, complaints, look, page, screenshots, seen, server, until } from "./page.mjs";

const button = (name) => page.getByRole("button", { name, exact: true });
const api = async (path) => (await fetch(`${server}/api/v1${path}`)).json();

/** A relay to the server that can be closed and opened, as if the server stopped and started: connections are closed, then rejected. */
function door() {
  const { hostname, port } = new URL(server);
  const ends = new Set();
  const passage = createServer((outer) => {
    const inner = connect(Number(port), hostname);
    outer.pipe(inner).pipe(outer);
    for (const end of [outer, inner]) {
      ends.add(end);
      end.on("error", () => {}).on("close", () => [outer, inner].forEach((one) => (ends.delete(one), one.destroy())));
    }
  });
  let own_port = 0;
  return {
    async open() {
      await new Promise((opened) => passage.listen(own_port, "127.0.0.1", opened));
      own_port = passage.address().port;
      return `http://127.0.0.1:${own_port}`;
    },
    async shut() {
      const closed = new Promise((resolve) => passage.close(resolve));
      for (const end of ends) end.destroy();
      await closed;
    },
  };
}

// The navigation leads to every page.
await page.goto(server);
await page.getByRole("link", { name: "Workers" }).click();
await until("a worker is active", async () => (await page.locator("[data-testid=worker][data-state=active]").count()) === 1);
const slots = (await api("/workers")).items[0].slots;
assert.match(await seen("occupancy").innerText(), new RegExp(`of ${slots} slot`));
await look("workers");

// A recipe fills the form and the text.
await page.getByRole("link", { name: "New" }).click();
const valid = async () => (await seen("dry-run").getAttribute("data-valid")) === "true";
const text = () => seen("spec-editor").locator(".cm-content").innerText();
const spec = seen("spec-editor").getByRole("textbox");
await until("the recipe is valid", valid);
await until("the editor is there", async () => (await seen("spec-editor").locator(".cm-content").count()) === 1);
assert.match(await seen("dry-run").innerText(), /3 arms × \(12 trials × 3 seeds \+ 20 seeds\): 168 jobs/);
await page.locator(".top select").selectOption("digits-mlp");
await until("the other recipe is valid", async () => (await valid()) && /3 arms × 5 seeds: 15 jobs/.test(await seen("dry-run").innerText()));

// The form changes the text, comments stay, and the server counts again.
await page.getByLabel("Name").fill("made-here");
await page.getByLabel("Seeds").fill("0-1");
await page.getByLabel("Epochs", { exact: true }).fill("400");
await page.getByRole("checkbox", { name: "opt-gram-schmidt" }).uncheck();
await until("the form is in the text", async () => /name = "made-here"/.test(await text()) && /epochs = 400/.test(await text()));
assert.match(await text(), /^# Does OPT help a small/);
assert.doesNotMatch(await text(), /gram_schmidt/);
await until("the jobs are counted", async () => /2 arms × 2 seeds: 4 jobs/.test(await seen("dry-run").innerText()));

// Unsent text is kept after a visit to another page.
await page.getByRole("link", { name: "Workers" }).click();
await seen("worker").waitFor();
await page.goBack();
await until("the draft is as it was left", async () => (await valid()) && (await page.getByLabel("Name").inputValue()) === "made-here");
assert.match(await text(), /epochs = 400/);

// A mistake is shown beside its field and in the list, and the spec cannot be submitted.
await page.getByLabel("Batch size").fill("0");
await until("the mistake is shown", async () => /\/train\/batch_size/.test(await seen("dry-run").innerText()));
assert.equal(await page.getByLabel("Batch size").getAttribute("aria-invalid"), "true");
assert(await button("Submit").isDisabled());
await look("new-mistake");
await page.getByLabel("Batch size").fill("64");
await until("it is valid again", valid);
await look("new");

// The text changes the form; an unreadable text is reported, and the form is disabled.
await spec.press("Control+End");
await page.keyboard.type("[checkpoint]\nevery_steps =");
await until("the text cannot be read", async () => /TOML/.test(await seen("dry-run").innerText()));
assert(await page.getByLabel("Name").isDisabled());
await page.keyboard.type(" 100\n");
await until("the text is read again", valid);
assert(await page.getByLabel("Name").isEnabled());

// Two clicks make one experiment.
await button("Submit").dblclick();
await page.waitForURL(`${server}/experiments/*`);
const experiments = (await api("/experiments")).items;
assert.deepEqual(experiments.map(({ name }) => name), ["made-here"]);
const experiment = experiments[0].id;
const jobs = (await api(`/jobs?experiment=${experiment}`)).items;
assert.deepEqual(jobs.map(({ arm, seed }) => `${arm} ${seed}`).sort(), ["baseline 0", "baseline 1", "opt-cayley 0", "opt-cayley 1"]);

// Its page shows the submitted text beside the resolved spec.
await page.goto(`${server}/experiments/${experiment}?tab=spec`);
await until("the text that was sent is there", async () => (await seen("submitted-text").count()) === 1);
assert.match(await seen("submitted-text").innerText(), /^# Does OPT help a small[^]*batch_size = 64/);
await look("spec");

// A copy starts with that text. Raising its rate raises the rate of every arm, because no arm sets its own.
await page.goto(`${server}/new?from=${experiment}`);
await until("the copy is valid", valid);
assert.equal(await page.getByLabel("Name").inputValue(), "made-here");
assert.equal(await page.getByLabel("Batch size").inputValue(), "64");
assert.match(await text(), /^# Does OPT help a small/);
await page.getByLabel("Learning rate").fill("0.05");
await until("the rate is in the text", async () => (await valid()) && /learning_rate = 0.05/.test(await text()));
const headers = { "content-type": "application/toml" };
const checked = await fetch(`${server}/api/v1/experiments?dry_run=true`, { method: "POST", headers, body: await text() });
const rates = (await checked.json()).spec.arms.map(({ method, train }) => [method.learning_rate, train.optimizer.learning_rate]);
assert.deepEqual(rates, [[undefined, 0.05], [0.05, 0.05]]);

// The last job waits, and the page shows why.
const last = jobs.at(-1).id;
await page.goto(`${server}/jobs/${last}`);
const state = () => seen("job-state").getAttribute("data-state");
await until("the last job is there", async () => (await seen("job-state").count()) === 1);
if ((await state()) === "queued") {
  assert.match(await seen("job-about").innerText(), /slot|queue/);
  await button("Priority 0").click();
  await page.getByLabel("Priority", { exact: true }).fill("7");
  await button("Save").click();
  await until("its priority is changed", async () => (await state()) !== "queued" || (await button("Priority 7").count()) === 1);
  assert.equal((await api(`/jobs/${last}`)).priority, 7);
}
await button("Cancel").dblclick();
await button("Cancel this job").waitFor();
assert.notEqual(await state(), "cancelled", "a double click asks for confirmation");
await button("Cancel this job").click();
await until("it is cancelled", async () => (await state()) === "cancelled");

// A running job is live. After a pause, its curve marks where it was resumed.
const first = jobs[0].id;
await page.goto(`${server}/jobs/${first}`);
const points = async (figure) => Number(await seen(`figure-${figure}`).getAttribute("data-points"));
await until("a figure has points", async () => (await seen("figure-loss").count()) === 1 && (await points("loss")) > 0);
if ((await state()) === "running") {
  await button("Pause").click();
  await until("the job rests", async () => ["paused", "succeeded"].includes(await state()));
}
const rested = (await state()) === "paused";
if (rested) await button("Resume").click();
await until("the job has succeeded", async () => (await state()) === "succeeded");
const attempts = (await api(`/jobs/${first}/attempts`)).items;
await until("every attempt is listed", async () => (await seen("attempt-row").count()) === attempts.length);
const seams = attempts.filter(({ start_step }) => start_step > 0).length;
assert.equal(seams, rested ? 1 : 0);
await until("the seam is drawn", async () => Number(await seen("figure-accuracy").getAttribute("data-seams")) === seams);
await until("the log ends with the job", async () => /finished/.test(await seen("log").innerText()));
const artifacts = async () => (await api(`/jobs/${first}/artifacts`)).items;
const spec_file = (await artifacts()).findLast(({ kind }) => kind === "spec").name;
const own = await api(`/jobs/${first}/artifacts/${spec_file}`);
assert.deepEqual([own.arm, own.seed], [jobs[0].arm, jobs[0].seed]);
await page.getByText("as the runner got it").waitFor();
// An experiment's spec has seeds, a job's one seed.
await until("the spec is the job's own", async () => new RegExp(`^seed ${own.seed}$`, "m").test(await seen("job-spec").innerText()));

// A file has the bytes that its row promises. The checkpoint of the pause goes once the job has succeeded.
await until("no checkpoint is left", async () => (await artifacts()).every(({ kind }) => kind !== "checkpoint"));
await page.reload();
const files = await artifacts();
await until("every file is listed", async () => (await seen("artifact-row").count()) === files.length);
const weights = files.find(({ kind }) => kind === "weights");
const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: weights.name }).click()]);
assert.equal(createHash("sha256").update(readFileSync(await download.path())).digest("hex"), weights.sha256);
await page.evaluate(() => scrollTo(0, 0));
await look("job");

// An attempt leads to its worker.
await seen("attempt-row").first().getByRole("link").click();
await page.waitForURL(`${server}/workers?worker=${attempts[0].worker_id}`);
await until("that worker is there", async () => (await seen("worker").first().innerText()).includes(`#${attempts[0].worker_id}`));

// A span of steps is in the address, and a reload keeps it.
await page.goto(`${server}/jobs/${first}?steps=100-200`);
await button("all steps").waitFor();
const within = (await api(`/jobs/${first}/metrics?series=train/loss&after_step=99&to_step=200&points=500`)).series[0].steps.length;
const outside = (await api(`/jobs/${first}/metrics?series=test/loss&after_step=99&to_step=200&points=500`)).series[0].steps.length;
await until("only that span is drawn", async () => (await points("loss")) === within + outside);
await button("all steps").click();
assert.doesNotMatch(page.url(), /steps=/);

// The whole experiment, in both themes.
const ended = ({ state }) => ["succeeded", "cancelled"].includes(state);
await until("every job has ended", async () => (await api(`/jobs?experiment=${experiment}`)).items.every(ended));
await page.goto(`${server}/experiments/${experiment}`);
for (const chart of ["chart-accuracy", "chart-energy"]) {
  await until(`${chart} is drawn`, async () => Number(await seen(chart).getAttribute("data-points")) > 0);
}
await page.getByRole("tab", { name: "Jobs", exact: true }).click();
await until("its jobs are listed", async () => (await seen("job-row").count()) === jobs.length);
await look("experiment");

// SQL: every example has rows, except the one about failures.
await page.getByRole("link", { name: "SQL" }).click();
const result_rows = () => seen("result").locator("tbody tr").count();
const without = [];
const examples = page.getByRole("group", { name: "Example queries" }).getByRole("button");
await examples.first().waitFor();
for (const example of await examples.all()) {
  const name = await example.innerText();
  const asked = page.waitForResponse((response) => response.url().endsWith("/api/v1/query"));
  await example.click();
  const answer = await asked;
  assert.equal(answer.status(), 200, `"${name}": ${await answer.text()}`);
  const { rows } = await answer.json();
  if (rows.length === 0) without.push(name);
  const counted = rows.length ? new RegExp(`^${rows.length} rows? in`) : /^no rows in/;
  await until(`"${name}" has ${rows.length} rows`, async () => counted.test(await seen("sql-status").innerText()) && (await result_rows()) === rows.length);
}
assert.deepEqual(without, ["what failed"]);

// An example again, an own query, a mistake, a file.
await button("best jobs").click();
await until("the example is answered", async () => (await result_rows()) > 0);
await seen("result").getByRole("link", { name: String(first), exact: true }).waitFor();
await look("sql");
const query = seen("sql-editor").getByRole("textbox");
const ask = async (sql) => {
  await query.press("Control+a");
  await query.pressSequentially(sql);
  await query.press("Control+Enter");
};
await ask("SELECT id AS job_id, arm, step / 3.0 AS third FROM jobs ORDER BY id");
await until("four rows are counted", async () => /^4 rows/.test(await seen("sql-status").innerText()));
await page.reload();
await until("a reload runs the query again", async () => (await result_rows()) === 4);
const [csv] = await Promise.all([page.waitForEvent("download"), button("CSV").click()]);
assert.match(readFileSync(await csv.path(), "utf8"), new RegExp(`^job_id,arm,third\r\n${first},baseline,`));
await ask("DELETE FROM jobs");
await until("a query that writes is refused", async () => (await seen("result").count()) === 0);
assert.match(await seen("sql-status").innerText(), /only SELECT/);
assert.equal((await api(`/jobs?experiment=${experiment}`)).items.length, 4);
await look("sql-refused");

// The keyboard alone: the list of keys, and the search from any page.
await page.getByRole("heading", { name: "SQL" }).click();
await page.keyboard.press("?");
await page.getByRole("dialog").waitFor();
await page.keyboard.press("Escape");
await page.keyboard.press("/");
await until("the search has the focus", () => page.evaluate(() => document.activeElement?.matches("input[type=search]")));
await look("experiments");

// The page reconnects by itself to a restarted server, and shows what has changed meanwhile.
const front = door();
await page.goto(`${await front.open()}/jobs/${last}`);
await until("the job is as it was", async () => (await seen("job-state").count()) === 1 && (await state()) === "cancelled");
await front.shut();
await until("the page reports that the server is unreachable", async () => seen("offline").isVisible());
assert.equal((await fetch(`${server}/api/v1/jobs/${last}/retry`, { method: "POST" })).status, 200);
assert.equal(await state(), "cancelled", "the last known state is gone");
await front.open();
await until("the page is back by itself", async () => !(await seen("offline").isVisible()) && (await state()) !== "cancelled");
await until("it is live again", async () => (await state()) === "succeeded");
await front.shut();

// A drained worker claims nothing more, and a page without workers shows how to start one.
await page.goto(`${server}/workers`);
await button("Drain").click();
await button("Drain: it hands back or finishes its jobs and stops").click();
await until("the worker has gone", async () => seen("no-workers").isVisible());
await look("no-workers");

// Unknown pages and an unreachable server are reported.
await page.goto(`${server}/jobs/999999`);
await seen("not-found").waitFor();
await page.goto(`${server}/jobs/${first}`);
await until("the job is there", async () => (await seen("job-state").count()) === 1 && (await points("loss")) > 0);
assert.deepEqual(complaints, []);
console.log("the server may go now");
await until("the page reports that it is offline", async () => seen("offline").isVisible());
assert((await points("loss")) > 0, "the last known state is gone");
await page.screenshot({ path: `${screenshots}/job-offline.png` });

await browser.close();
