// The dashboard during an experiment: node dashboard.mjs SERVER CHROMIUM SCREENSHOTS
// Every expectation waits for the page; the first that fails ends the script with a message.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { browser, complaints, page, picture, seen, server, showsVerdict, tab, until } from "./page.mjs";

const strangers = [];
page.on("request", (request) => { if (!request.url().startsWith(server)) strangers.push(request.url()); });

const number = async (id, attribute) => Number(await seen(id).getAttribute(attribute));

async function submit(overrides) {
  const response = await fetch(`${server}/api/v1/experiments`, {
    method: "POST",
    body: JSON.stringify({ recipe: "digits-mlp", overrides }),
  });
  assert.equal(response.status, 201);
  return (await response.json()).id;
}

// An empty list shows how to start.
await page.goto(server);
await page.getByText("make demo").first().waitFor();
await picture("empty");

// An experiment appears by itself, and a second one of the same name beside it.
const first = await submit({ name: "twice", seeds: [0, 1], train: { epochs: 60 } });
await until("the experiment is listed without a reload", async () => (await seen("experiment-row").count()) === 1);
const second = await submit({ name: "twice", seeds: [0, 1], train: { epochs: 2 } });
await until("the one of the same name is listed too", async () => (await seen("experiment-row").count()) === 2);
await picture("list");

// Its page is live: curves grow while jobs run.
await seen("experiment-row").filter({ hasText: `#${first}` }).click();
await page.waitForURL(`${server}/experiments/${first}*`);
await tab("Jobs");
await until("a job runs", async () => (await page.locator('[data-testid=job-row][data-state=running]').count()) > 0);
assert((await seen("job-progress").count()) > 0, "no progress bar");
await tab("Overview");
await until("accuracy is drawn", async () => (await number("chart-accuracy", "data-points")) > 0);
const early = await number("chart-energy", "data-points");
await until("the energy curve grows", async () => (await number("chart-energy", "data-points")) > early);
await picture("running");

// A job is paused and resumed.
await tab("Jobs");
const last = seen("job-row").last();
await last.getByRole("button", { name: /^Pause/ }).click();
await until("the last job is paused", async () => (await last.getAttribute("data-state")) === "paused");
assert.equal(await page.getByRole("button", { name: "paused 1", exact: true }).count(), 1, "the count lags behind the row");
await picture("paused");
await last.getByRole("button", { name: /^Resume/ }).click();
await until("it is not paused any more", async () => (await last.getAttribute("data-state")) !== "paused");

await until("all jobs have succeeded", async () =>
  (await page.locator('[data-testid=job-row][data-state=succeeded]').count()) === 6);
await tab("Overview");
await until("all arms are drawn", async () => (await number("chart-accuracy", "data-arms")) === 3);

// The page agrees with the database.
const comparison = await (await fetch(`${server}/api/v1/experiments/${first}/comparison`)).json();
await until("the verdict is the server's", () => showsVerdict(comparison.verdict));
for (const [index, arm] of comparison.arms.entries()) {
  const row = await seen("arm-row").nth(index).innerText();
  assert(row.includes(arm.arm) && row.includes(arm.mean.toFixed(2)), `${row} should show ${arm.arm} ${arm.mean}`);
}

// Hovering shows the values under the cursor.
async function place() {
  await seen("chart-accuracy").scrollIntoViewIfNeeded();
  return seen("chart-accuracy").boundingBox();
}
let chart = await place();
await page.mouse.move(chart.x + chart.width * 0.6, chart.y + chart.height * 0.5);
await until("hover values name an arm", async () =>
  (await seen("hover-values").first().innerText()).includes("opt-cayley"));
await picture("done");

// The legend toggles an arm in both charts, and the address remembers it.
await seen("legend-baseline").click();
await until("an arm is hidden", async () =>
  (await number("chart-accuracy", "data-arms")) === 2 && (await number("chart-energy", "data-arms")) === 2);
assert.equal(await seen("legend-baseline").getAttribute("aria-pressed"), "false");
assert.match(page.url(), /hide=baseline/);
await page.reload();
await until("a reload keeps it hidden", async () => (await number("chart-accuracy", "data-arms")) === 2);
await seen("legend-baseline").click();

// The x axis in epochs, zooming, and the address that keeps both.
const epochs = async () => [await number("chart-accuracy", "data-from"), await number("chart-accuracy", "data-to")];
await page.getByRole("button", { name: "epoch" }).click();
await until("the x axis counts epochs", async () => (await epochs()).join() === "0,60");
chart = await place();
await page.mouse.move(chart.x + chart.width * 0.3, chart.y + chart.height * 0.5);
await page.mouse.down();
await page.mouse.move(chart.x + chart.width * 0.5, chart.y + chart.height * 0.5, { steps: 4 });
const closer = page.waitForResponse((response) => /curves\?.*after_step=\d+&to_step=\d+/.test(response.url()));
await page.mouse.up();
assert.equal((await closer).status(), 200);
const [from, to] = await epochs();
assert(from > 0 && to < 60 && from < to, `a drag looks closer, not at ${from} to ${to}`);
assert.match(page.url(), /x=epoch/);
assert.match(page.url(), /steps=\d+-\d+/);
await page.reload();
await until("a reload keeps the look", async () => (await epochs()).join() === [from, to].join());
assert.equal(await number("chart-energy", "data-from"), from, "both charts look at the same steps");
await picture("closer");
await page.getByRole("button", { name: "all steps" }).first().click();
await until("all steps are back", async () => (await epochs()).join() === "0,60");
await page.getByRole("button", { name: "step", exact: true }).click();

// Downloads contain the server's numbers.
async function taken(kind) {
  await seen("menu-chart-accuracy").click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: kind, exact: true }).click(),
  ]);
  return readFileSync(await download.path());
}
const curves = await (await fetch(`${server}/api/v1/experiments/${first}/curves?series=test/accuracy&points=400`)).json();
const rows = curves.arms.flatMap((arm) => arm.steps.map((step, at) => [arm.arm, step, arm.mean[at], arm.std[at] ?? "", arm.n[at]].join()));
assert.deepEqual((await taken("CSV")).toString().trim().split("\r\n"), ["arm,step,mean,std,n", ...rows]);
const svg = (await taken("SVG")).toString();
assert.match(svg, /<text[^>]*>test accuracy · twice #1<\/text>/);
for (const arm of curves.arms) assert(svg.includes(`>${arm.arm}</text>`), `no ${arm.arm} in the legend`);
assert((svg.match(/<path/g) ?? []).length > curves.arms.length * 2, "lines and bands are paths");
assert.equal((await taken("PNG")).subarray(1, 4).toString(), "PNG");
await seen("menu-chart-accuracy").click();
await page.getByRole("button", { name: "Show SQL" }).click();
assert.match(await seen("sql").innerText(), /experiment_id = 1 AND s\.name = 'test\/accuracy'/);
await picture("sql");
await page.keyboard.press("Escape");

// Differences are paired by seed: the mean of two pairs' differences at the last step is what the page draws.
await page.getByRole("button", { name: "− baseline" }).first().click();
await until("differences have no line of the baseline", async () =>
  !(await seen("chart-accuracy").getAttribute("aria-label")).includes("baseline 0") &&
  (await seen("chart-accuracy").getAttribute("aria-label")).startsWith("test accuracy minus baseline (points)"));
const runs = (await (await fetch(`${server}/api/v1/experiments/${first}/runs?series=test/accuracy&points=10000`)).json()).runs;
const end = (arm, seed) => runs.find((run) => run.arm === arm && run.seed === seed).values.at(-1);
const mean = [0, 1].reduce((sum, seed) => sum + (end("opt-cayley", seed) - end("baseline", seed)) / 2, 0);
const difference = (await taken("CSV")).toString().trim().split("\r\n").filter((row) => row.startsWith("opt-cayley")).at(-1).split(",");
assert(Math.abs(Number(difference[2]) - mean) < 1e-9 && difference[4] === "2", `${difference} should have ${mean} of 2 pairs`);
await picture("difference");
await page.getByRole("button", { name: "− baseline" }).first().click();
await page.getByRole("button", { name: "runs", exact: true }).first().click();
await page.getByRole("button", { name: "log", exact: true }).nth(1).click();
assert.match(page.url(), /runs=left/);
assert.match(page.url(), /log=right/);
await picture("runs-and-log");

// Below the first screen.
await page.goto(`${server}/experiments/${first}?tab=charts`);
for (const name of ["accuracy", "error", "loss", "energy", "rate", "speed"]) {
  await seen(`chart-${name}-all`).scrollIntoViewIfNeeded();
  await until(`${name} is drawn`, async () => (await number(`chart-${name}-all`, "data-points")) > 0);
}
await picture("charts");
await page.getByRole("tab", { name: "Layers" }).click();
for (const series of ["energy/hidden1", "orthogonality_error/hidden2"]) {
  await until(`${series} has a place`, async () => (await seen("layers").count()) === 2);
  await seen("layers").last().scrollIntoViewIfNeeded();
  await until(`${series} is drawn`, async () => (await number(`layer-${series}`, "data-points")) > 0);
}
// The networks have 128 neurons per layer: too many for the first layer's 64 dimensions, and enough for the second's 128.
const energies = (layer) => seen(`layer-energy/${layer}`).getAttribute("aria-label");
await until("the second layer is drawn", async () => (await number("layer-energy/hidden2", "data-points")) > 0);
assert.match(await energies("hidden1"), / Lower bound, cannot be reached: 0\.7043\.$/);
assert.match(await energies("hidden2"), / Least possible: 0\.7043\.$/);
for (const layer of ["hidden1", "hidden2"]) {
  const excess = await seen(`excess-energy/${layer}`).innerText();
  assert.match(excess, layer === "hidden1" ? /^above a bound that cannot be reached:\s/ : /^above the least possible:\s/);
  // Plain training moves away from the bound, and OPT stays where random neurons are.
  const of = (arm) => Number(new RegExp(`${arm}\\s+([\\d.]+)%`).exec(excess)?.[1]);
  assert(of("opt-cayley") > 0.1 && of("opt-cayley") < 1.5, excess);
  assert(of("baseline") > of("opt-cayley"), excess);
}
await picture("layers");
await page.getByRole("tab", { name: "Arms × seeds" }).click();
await page.getByRole("button", { name: "by test error" }).click();
const last_error = (100 - end("opt-cayley", 1)).toFixed(2);
await until("the grid has the last errors", async () =>
  (await seen("seed-grid").getByLabel(/^opt-cayley, seed 1/).innerText()).trim() === last_error);
await page.getByRole("tab", { name: "Statistics" }).click();
for (const arm of comparison.arms) {
  await until(`the statistics have ${arm.arm}`, async () => (await seen("statistics").innerText()).includes(arm.mean.toFixed(2)));
}
await page.getByRole("tab", { name: "Accuracy against cost" }).click();
await seen("cost-chart").getByText("opt-cayley").waitFor();
await picture("cost");
await page.goto(`${server}/experiments/${first}`);
await until("the charts are back", async () => (await number("chart-accuracy", "data-arms")) === 3);

await page.emulateMedia({ colorScheme: "dark" });
await until("the arm is back", async () => (await number("chart-accuracy", "data-arms")) === 3);
await picture("done-dark");
await page.setViewportSize({ width: 420, height: 900 });
await picture("narrow");
// Paper does not scroll: a landscape A4 page shows every column.
await page.setViewportSize({ width: 1047, height: 718 });
await page.emulateMedia({ media: "print" });
const beyond = await page.locator("table").evaluateAll((tables) =>
  tables.map((table) => table.getBoundingClientRect().right - innerWidth).filter((pixels) => pixels > 0));
assert.deepEqual(beyond, [], "tables end on the page");
await page.emulateMedia({ media: "screen" });
await page.setViewportSize({ width: 1280, height: 800 });
await page.emulateMedia({ colorScheme: "light" });

// The other experiment of the same name has its own jobs.
await page.goto(`${server}/experiments/${second}?tab=jobs`);
await until("the second experiment shows its own jobs", async () =>
  (await page.locator('[data-testid=job-row][data-state=succeeded]').count()) === 6);
const ids = await page.locator("[data-testid=job-row]").evaluateAll((rows) => rows.map((row) => row.dataset.job));
const jobs = await (await fetch(`${server}/api/v1/jobs?experiment=${second}`)).json();
assert.deepEqual([...ids].sort(), jobs.items.map((job) => String(job.id)).sort());

// More seeds for every arm, and notes and tags.
await seen("more-actions").click();
await page.getByRole("button", { name: "Add seeds" }).click();
await page.getByLabel("Number per arm").fill("1");
await seen("add-seeds").click();
await until("each arm has a third seed", async () =>
  (await page.locator("[data-testid=job-row][data-state=succeeded]").count()) === 9);
await seen("more-actions").click();
await page.getByRole("button", { name: "Edit" }).click();
await page.getByLabel("Name").fill("renamed");
await page.getByLabel("Tags").fill("short, checked");
await page.getByLabel("Notes").fill("Two epochs only.");
await page.getByRole("button", { name: "Save" }).click();
await tab("Overview");
await page.getByText("Two epochs only.").waitFor();
await until("the title is the new name", async () => (await page.getByRole("heading", { level: 1 }).innerText()).includes("renamed"));

// Jobs without a suitable worker are cancelled and retried.
const third = await submit({ name: "waiting", seeds: [0], resources: { device: "cuda" } });
await page.goto(`${server}/experiments/${third}`);
await until("the page shows why they wait", async () => (await seen("waiting").innerText()).includes("cuda"));
await tab("Jobs");
await seen("cancel-experiment").click();
await seen("cancel-experiment").click();
await until("all are cancelled", async () => (await page.locator("[data-testid=job-row][data-state=cancelled]").count()) === 3);
await seen("retry-experiment").click();
await until("all are queued again", async () => (await page.locator("[data-testid=job-row][data-state=queued]").count()) === 3);
await seen("pause-experiment").click();
await until("all are paused", async () => (await page.locator("[data-testid=job-row][data-state=paused]").count()) === 3);
await seen("more-actions").click();
await page.getByRole("button", { name: "Archive" }).click();
await until("it is archived", async () => (await page.getByText("· archived").count()) === 1);

// The list filters by state and tag, and shows archived experiments only on request.
await page.goto(server);
await until("the archived one is hidden", async () => (await seen("experiment-row").count()) === 2);
await seen("show-archived").check();
await until("it is shown on request", async () => (await seen("experiment-row").count()) === 3);
await seen("filter-state").selectOption("paused");
await until("one is paused", async () => (await seen("experiment-row").innerText()).includes("waiting"));
await seen("filter-state").selectOption("");
await seen("filter-tag").selectOption("checked");
await until("one has the tag", async () => (await seen("experiment-row").innerText()).includes("renamed"));
await page.goto(`${server}/?q=twice+cayley`);
await until("the address holds a search", async () => (await seen("experiment-row").innerText()).includes(`#${first}`));
const best = Math.min(...comparison.arms.map((arm) => arm.mean)).toFixed(2);
await until("its row has the lowest error", async () => (await seen("last-result").innerText()).includes(`${best} %`));
assert.equal(await seen("experiment-row").locator("polyline").count(), 3, "a line of each arm");
await picture("found");

// A violated invariant is reported beside the charts. No job of this server violates one, so the answer is replaced.
const broken = { kind: "invariant_broken", job_id: 1, arm: "opt-cayley", seed: 0, series: "orthogonality_error/hidden1", value: 0.02, tolerance: 0.001, detail: "R has left the orthogonal matrices" };
await page.route("**/warnings", (route) => route.fulfill({ json: { items: [broken] } }));
await page.goto(`${server}/experiments/${first}`);
await seen("invariant-broken").click();
await until("the series and its value are named", async () =>
  /orthogonality error of hidden1\s+0\.0200/.test(await seen("warnings").innerText()));
await picture("warnings");
await page.unroute("**/warnings");

// Unknown pages and an unreachable server are reported.
await page.goto(`${server}/experiments/999`);
await page.getByText(/999/).first().waitFor();
await picture("not-found");
await page.goto(`${server}/experiments/${first}`);
await until("the page is whole again", async () => (await number("chart-accuracy", "data-arms")) === 3);
assert.deepEqual(complaints, []);
console.log("the server may go now");
await until("the page reports that it is offline", async () => seen("offline").isVisible());
await picture("offline");

assert.deepEqual(strangers, [], "the page must only contact its server");
await browser.close();
