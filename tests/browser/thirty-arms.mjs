// Every page of a recorded experiment with thirty arms: node thirty-arms.mjs SERVER CHROMIUM SCREENSHOTS
// Takes a picture of each in both themes and at the width of a phone, and checks it with axe.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { browser, complaints, faults, page, screenshots, seen, server, until, view, VIEWS } from "./page.mjs";

const api = async (path) => (await fetch(`${server}/api/v1${path}`)).json();
const [{ id }] = (await api("/experiments")).items;
const jobs = (await api(`/jobs?experiment=${id}&limit=1000`)).items;
const at = `/experiments/${id}`;

const WIDE = { theme: "light", width: 1920, height: 1080, rules: null };
const LOOKS = [...VIEWS.slice(0, 3), WIDE];
const PAGES = [
  ["list", "/", "experiment-row"],
  ["runs", "/runs?sort=test_error&where=train.optimizer.learning_rate+>%3D+0.1", "runs"],
  ["runs-groups", "/runs?group=arm,train.optimizer.learning_rate", "groups"],
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

await page.goto(server + at);
await until("the list of arms is complete", async () => (await seen("arm-row").count()) === 30);

const number = async (chart, attribute) => Number(await seen(chart).getAttribute(attribute));
const boxes = (id) => seen(id).evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON()));

// The failed arms do not flatten the others, and the reader can see them.
await until("the energy is drawn", async () => (await number("chart-energy", "data-points")) > 0);
assert((await number("chart-energy", "data-high")) < 1, "the axis is fitted to most arms");
const energy = page.locator("section").filter({ has: seen("chart-energy") });
await energy.getByRole("button", { name: /^show \d+ arms? outside$/ }).click();
await until("the failed arm is on the axis", async () => (await number("chart-energy", "data-high")) > 1e6);
await energy.getByRole("button", { name: "fit to most arms" }).click();

// The badge and the sentence beside it do not say the same.
const badge = await page.locator(".verdict").getByTestId("standing").innerText();
assert(!(await seen("verdict").innerText()).startsWith(badge), "the sentence repeats its badge");

// A single arm of a method can be hidden, and shown again.
const method = seen("legend-opt:cayley");
await seen("legend-menu-opt:cayley").click();
const one = page.getByRole("button", { name: "opt-cayley-0.1", exact: true }).and(page.locator(".list button"));
await one.click();
await until("one arm is hidden", async () => (await number("chart-energy", "data-arms")) === 29);
assert.equal(await method.getAttribute("aria-pressed"), "mixed");
await one.click();
await until("all arms are shown", async () => (await number("chart-energy", "data-arms")) === 30);
await page.keyboard.press("Escape");

// Names at the ends of lines do not overlap, and one that ends outside has its value beside a readable name.
const labels = (await boxes("line-label")).sort((a, b) => a.left - b.left || a.top - b.top);
assert(labels.length > 10, "most lines that have space have names");
for (const [index, label] of labels.slice(1).entries()) {
  assert(label.left !== labels[index].left || label.top >= labels[index].top + 13.9, "two names overlap");
}

// A drag upwards looks closer at values; the address keeps it, and a double click fits the axis again.
const place = await seen("chart-accuracy").boundingBox();
const [low, high] = [await number("chart-accuracy", "data-low"), await number("chart-accuracy", "data-high")];
await page.mouse.move(place.x + place.width * 0.4, place.y + place.height * 0.2);
await page.mouse.down();
await page.mouse.move(place.x + place.width * 0.4, place.y + place.height * 0.5, { steps: 4 });
await page.mouse.up();
await until("the values are closer", async () => (await number("chart-accuracy", "data-high")) - (await number("chart-accuracy", "data-low")) < 0.7 * (high - low));
assert.match(page.url(), /left-values=/);
assert.doesNotMatch(page.url(), /steps=/, "a drag along y keeps the steps");
await seen("chart-accuracy").dblclick({ position: { x: place.width * 0.4, y: place.height * 0.3 } });
await until("the axis is fitted again", async () => (await number("chart-accuracy", "data-low")) === low);

// The values under the cursor are sorted, and not over the lines.
await page.goto(server + at);
await until("accuracy is drawn", async () => (await number("chart-accuracy", "data-points")) > 0);
await page.mouse.move(place.x + place.width * 0.5, place.y + place.height * 0.3);
await until("the values are shown", async () => (await seen("hover-values").count()) === 1);
const values = (await seen("hover-values").locator("td:nth-child(2)").allInnerTexts()).map(Number);
assert.deepEqual(values, [...values].sort((a, b) => b - a));
const [tip] = await boxes("hover-values");
const area = await seen("chart-accuracy").locator(".u-over").boundingBox();
assert(tip.top >= area.y + area.height || tip.bottom <= area.y, "the values are beside the lines");
await page.mouse.move(1, 1);

// The table of arms is sorted by error, and says what the test concludes.
const rows = seen("arm-row");
await page.getByRole("button", { name: "test error (%)" }).click();
const errors = async () => (await rows.locator("td.error").allInnerTexts()).map((text) => Number.parseFloat(text)).filter((error) => !Number.isNaN(error));
await until("the errors ascend", async () => (await errors()).every((error, index, all) => index === 0 || error >= all[index - 1]));
assert.equal(await rows.and(page.locator("[data-arm='baseline-rate-1e-9']")).getByTestId("standing").innerText(), "Worse");
assert.equal(await rows.and(page.locator("[data-arm='opt-relaxed-0.3']")).getByTestId("standing").innerText(), "Too few seeds");

// The arms differ in a table with changed cells only.
await page.goto(`${server}${at}?tab=statistics`);
await page.getByText(/^Arms differ in/).click();
const changed = await seen("differences").locator("tr", { has: page.getByRole("rowheader", { name: "baseline-rate-0.03", exact: true }) }).locator("td").allInnerTexts();
assert.deepEqual([...new Set(changed.filter(Boolean))], ["0.03"]);

// A drag upwards on a job's chart looks closer at values, and a button fits them again.
await page.goto(`${server}/jobs/${jobs[0].id}`);
await until("the loss is drawn", async () => (await number("figure-loss", "data-points")) > 0);
await seen("figure-loss").scrollIntoViewIfNeeded();
const loss = await seen("figure-loss").boundingBox();
const least = await number("figure-loss", "data-low");
await page.mouse.move(loss.x + loss.width * 0.5, loss.y + loss.height * 0.2);
await page.mouse.down();
await page.mouse.move(loss.x + loss.width * 0.5, loss.y + loss.height * 0.5, { steps: 4 });
await page.mouse.up();
await until("the values of the loss are closer", async () => (await number("figure-loss", "data-low")) > least);
assert.match(page.url(), /loss-values=/);
await page.getByRole("button", { name: "fit values" }).click();
await until("the loss is fitted again", async () => (await number("figure-loss", "data-low")) === least);

// A job's page leads to the one beside it, and an unknown address has a page.
await page.goto(`${server}/jobs/${jobs[0].id}`);
await page.getByRole("link", { name: "next job" }).click();
await page.waitForURL(`${server}/jobs/${jobs[0].id + 1}`);
await page.goto(`${server}/no/such/page`);
await seen("not-found").waitFor();

for (const { theme, width, height, rules } of LOOKS) {
  await view({ theme, width, height });
  for (const [name, path, id] of PAGES) {
    await page.goto(server + path);
    await seen(id).first().waitFor();
    await page.waitForLoadState("networkidle");
    await page.screenshot({ path: `${screenshots}/thirty-${name}-${theme}-${width}.png`, fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert(wide <= 0, `${name} is ${wide} px wider than a window of ${width} px`);
    assert.deepEqual(await faults(rules), [], `${name}, ${theme}, ${width} px`);
  }
  console.log(`seen: every page, ${theme}, ${width} px`);
}

// The report is one file: three actions from the list, and it needs no server, in both themes, on a phone and on paper.
await view(VIEWS[0]);
await page.goto(server);
await seen("experiment-row").first().click();
const [download] = await Promise.all([page.waitForEvent("download"), seen("report").click()]);
assert.equal(download.suggestedFilename(), `thirty-arms-${id}.html`);
const report = `${screenshots}/report.html`;
await download.saveAs(report);
assert(statSync(report).size < 1_000_000, `the report has ${statSync(report).size} bytes`);
const requests = [];
page.on("request", (request) => requests.push(request.url()));
for (const { theme, width, height, rules } of LOOKS) {
  await view({ theme, width, height });
  await page.goto(`file://${report}`);
  assert.equal(await page.locator("#arms tbody tr").count(), 30);
  for (const chart of await page.locator("figure").all()) {
    const drawn = await chart.locator("path.line").evaluateAll((lines) => lines.map((line) => line.className.baseVal.match(/a\d+/)[0]));
    assert(new Set(drawn).size >= 28, "an arm that diverged at once has no loss");
  }
  await page.screenshot({ path: `${screenshots}/report-${theme}-${width}.png`, fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert(wide <= 0, `the report is ${wide} px wider than a window of ${width} px`);
  assert.deepEqual(await faults(rules), [], `the report, ${theme}, ${width} px`);
}
await page.pdf({ path: `${screenshots}/report.pdf`, format: "A4" });
assert.deepEqual([...new Set(requests)], [`file://${report}`], "the report loads nothing");
console.log(`seen: the report, ${statSync(report).size} bytes`);

assert.deepEqual(complaints, []);
await browser.close();
