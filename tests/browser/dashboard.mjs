// What a researcher sees: node dashboard.mjs SERVER CHROMIUM SCREENSHOTS
// Every expectation waits for the page; the first that fails ends the script with a message.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const [server, executablePath, screenshots] = process.argv.slice(2);
mkdirSync(screenshots, { recursive: true });

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });
page.setDefaultTimeout(60_000);

const complaints = [];
page.on("pageerror", (error) => complaints.push(String(error)));
const strangers = [];
page.on("request", (request) => { if (!request.url().startsWith(server)) strangers.push(request.url()); });

const seen = (id) => page.getByTestId(id);
const picture = (name) => page.screenshot({ path: `${screenshots}/${name}.png` });
const number = async (id, attribute) => Number(await seen(id).getAttribute(attribute));

async function until(what, condition) {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    assert(Date.now() < deadline, `waited in vain until ${what}`);
    await page.waitForTimeout(50);
  }
  console.log(`seen: ${what}`);
}

async function submit(overrides) {
  const response = await fetch(`${server}/api/v1/experiments`, {
    method: "POST",
    body: JSON.stringify({ recipe: "digits-mlp", overrides }),
  });
  assert.equal(response.status, 201);
  return (await response.json()).id;
}

// An empty list says how to begin.
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
await until("a job runs", async () => (await page.locator('[data-testid=job-row][data-state=running]').count()) > 0);
await until("accuracy is drawn", async () => (await number("chart-accuracy", "data-points")) > 0);
const early = await number("chart-energy", "data-points");
await until("the energy curve grows", async () => (await number("chart-energy", "data-points")) > early);
assert((await seen("job-progress").count()) > 0, "no progress bar");
await picture("running");

// A job waits for its researcher, and then goes on.
const last = seen("job-row").last();
await last.getByRole("button", { name: /^Pause/ }).click();
await until("the last job is paused", async () => (await last.getAttribute("data-state")) === "paused");
assert.equal(await page.getByRole("button", { name: "paused 1", exact: true }).count(), 1, "the count lags behind the row");
await picture("paused");
await last.getByRole("button", { name: /^Resume/ }).click();
await until("it is not paused any more", async () => (await last.getAttribute("data-state")) !== "paused");

await until("all jobs have succeeded", async () =>
  (await page.locator('[data-testid=job-row][data-state=succeeded]').count()) === 6);
await until("all arms are drawn", async () => (await number("chart-accuracy", "data-arms")) === 3);

// The page says what the database says.
const comparison = await (await fetch(`${server}/api/v1/experiments/${first}/comparison`)).json();
await until("the verdict is the server's", async () =>
  (await seen("verdict").innerText()).trim() === comparison.verdict);
for (const [index, arm] of comparison.arms.entries()) {
  const row = await seen("arm-row").nth(index).innerText();
  assert(row.includes(arm.arm) && row.includes(arm.mean.toFixed(2)), `${row} should show ${arm.arm} ${arm.mean}`);
}

// Hovering tells the values under the cursor.
const chart = await seen("chart-accuracy").boundingBox();
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

await page.emulateMedia({ colorScheme: "dark" });
await until("the arm is back", async () => (await number("chart-accuracy", "data-arms")) === 3);
await picture("done-dark");
await page.setViewportSize({ width: 420, height: 900 });
await picture("narrow");
await page.setViewportSize({ width: 1280, height: 800 });
await page.emulateMedia({ colorScheme: "light" });

// The other experiment of the same name has its own jobs.
await page.goto(`${server}/experiments/${second}`);
await until("the second experiment shows its own jobs", async () =>
  (await page.locator('[data-testid=job-row][data-state=succeeded]').count()) === 6);
const ids = await page.locator("[data-testid=job-row]").evaluateAll((rows) => rows.map((row) => row.dataset.job));
const jobs = await (await fetch(`${server}/api/v1/jobs?experiment=${second}`)).json();
assert.deepEqual([...ids].sort(), jobs.items.map((job) => String(job.id)).sort());

// What does not exist is said calmly, and so is a server that went away.
await page.goto(`${server}/experiments/999`);
await page.getByText(/999/).first().waitFor();
await picture("not-found");
await page.goto(`${server}/experiments/${first}`);
await until("the page is whole again", async () => (await number("chart-accuracy", "data-arms")) === 3);
assert.deepEqual(complaints, []);
console.log("the server may go now");
await until("the page says that it is offline", async () => seen("offline").isVisible());
await picture("offline");

assert.deepEqual(strangers, [], "the page must ask nobody but its server");
await browser.close();
