// Comparisons of experiments: node compare.mjs SERVER CHROMIUM SCREENSHOTS
// The server has at least one slot and no experiment yet.

import assert from "node:assert/strict";
import { browser, complaints, look, page, seen, server, showsVerdict, tab, until } from "./page.mjs";

const api = async (path) => (await fetch(`${server}/api/v1${path}`)).json();

const ARMS = [
  { name: "baseline", method: { kind: "baseline" } },
  { name: "opt-cayley", method: { kind: "opt", transform: "cayley" } },
];

async function submit(name, seeds, train, arms = ARMS) {
  const body = JSON.stringify({ recipe: "digits-mlp", overrides: { name, seeds, arms, train: { model: { hidden: [16] }, ...train } } });
  const answer = await fetch(`${server}/api/v1/experiments`, { method: "POST", headers: { "content-type": "application/json" }, body });
  assert.equal(answer.status, 201, await answer.clone().text());
  return (await answer.json()).id;
}

const short = await submit("short", [0, 1, 2, 3, 4, 5], { epochs: 1 });
const long = await submit("long", [1, 2, 3, 4, 5, 6], { epochs: 2 }, ARMS.slice(1));
const other = await submit("other-task", [0, 1], { epochs: 1, data: { name: "synthetic", shape: [1, 8, 8], classes: 2, samples: 200 } });
await until("all jobs have succeeded", async () => {
  const { items } = await api("/experiments");
  return items.every(({ counts }) => counts.queued + counts.running === 0);
});

// Two ticks and a click lead from the first page to the comparison.
await page.goto(server);
await until("all are listed", async () => (await seen("experiment-row").count()) === 3);
assert(await seen("compare").isDisabled());
const tick = (name, id) => page.getByRole("checkbox", { name: `Compare ${name} #${id}` });
await tick("short", short).check();
assert(await seen("compare").isDisabled(), "one experiment is no comparison");
await tick("long", long).check();
assert.match(page.url(), new RegExp(`compare=${short},${long}$`), "the address holds the choice");
await look("list-chosen");
await seen("compare").click();
await page.waitForURL(`${server}/compare?experiments=${short},${long}`);

// The arms of both, in the charts and in the table.
const rows = seen("arm-row");
await until("every arm has a row", async () => (await rows.count()) === 3);
const names = await rows.evaluateAll((all) => all.map((row) => row.dataset.arm));
assert.deepEqual(names, [`${short}/baseline`, `${short}/opt-cayley`, `${long}/opt-cayley`]);
const points = async (chart) => Number(await seen(chart).getAttribute("data-points"));
await until("accuracy and energy are drawn", async () => (await points("chart-accuracy")) > 0 && (await points("chart-energy")) > 0);
const legend = page.getByRole("group", { name: "Arms in the charts" }).getByRole("button");
assert.deepEqual(await legend.allInnerTexts(), names);
const comparison = await api(`/comparison?experiments=${short},${long}`);
const pairs = Object.fromEntries(comparison.arms.map(({ arm, pairs: number }) => [arm, number]));
assert.deepEqual(pairs, { [`${short}/baseline`]: null, [`${short}/opt-cayley`]: 6, [`${long}/opt-cayley`]: 5 });
await until("the verdict is shown", async () => (await seen("verdict").count()) === 1);
assert(await showsVerdict(comparison.verdict), comparison.verdict);

// Equal seeds are below each other: seed 0 is missing in one experiment, seed 6 in the other.
const squares = (arm) => page.locator(`[data-arm="${arm}"] .squares > *`).evaluateAll((all) => all.map((one) => (one.tagName === "svg" ? "job" : "gap")));
assert.deepEqual(await squares(`${short}/baseline`), [...Array(6).fill("job"), "gap"]);
assert.deepEqual(await squares(`${long}/opt-cayley`), ["gap", ...Array(6).fill("job")]);

// Every differing field is listed with its values.
const fields = await seen("differences").locator("thead th").allInnerTexts();
for (const field of ["train.epochs", "seeds", "method.kind"]) assert(fields.includes(field), `${field} of ${fields}`);
const epochs = await seen("differences").locator("tr", { has: page.getByRole("rowheader", { name: `${long}/opt-cayley`, exact: true }) }).locator("td").nth(fields.indexOf("train.epochs") - 1).innerText();
assert.equal(epochs, "2");
await look("compare");

// Another baseline, kept in the address and after a reload.
await seen("compare-baseline").selectOption(`${long}/opt-cayley`);
await until("the others are compared with it", async () => (await page.getByRole("columnheader", { name: /^vs/ }).innerText()).includes(`vs ${long}/opt-cayley`));
await page.reload();
await until("it is still the baseline", async () => (await page.getByRole("columnheader", { name: /^vs/ }).innerText()).includes(`vs ${long}/opt-cayley`));
assert.equal(await page.locator(`[data-arm="${long}/opt-cayley"] td.standing`).innerText(), "baseline");

// The paired differences as curves, and the tests.
const accuracy = page.locator("section").filter({ has: seen("chart-accuracy") });
await accuracy.getByRole("button", { name: `− ${long}/opt-cayley` }).click();
await until("differences are drawn", async () => (await points("chart-accuracy")) > 0);
await tab("Statistics");
await until("the tests are shown", async () => (await seen("statistics").locator("tbody tr").count()) === 3);
assert.match(await seen("statistics").innerText(), /baseline of this comparison/);
await look("compare-statistics");
await tab("Arms × seeds");
await until("every seed has a column", async () => (await seen("seed-grid").locator("thead th").count()) === 8);
await look("compare-seeds");

// The figures of another task are shown, and nothing is concluded.
await page.goto(`${server}/compare?experiments=${short},${other}`);
await until("the verdict says that there is none on the other task", async () => / leads .* No verdict on /s.test(await seen("verdict").innerText()));
assert.match(await seen("verdict").innerText(), /so the figures are not of the same task\./);
assert.equal(await page.locator(`[data-arm="${other}/baseline"]`).getByTestId("standing").innerText(), "Not comparable");
await look("compare-other-task");

// With the keyboard, from the list; and one experiment less again.
await page.goto(server);
await until("all are listed again", async () => (await seen("experiment-row").count()) === 3);
for (const key of ["j", "x", "j", "x", "j", "x"]) await page.keyboard.press(key);
await until("three are chosen", async () => (await seen("compare").innerText()) === "Compare 3");
await seen("compare").focus();
await page.keyboard.press("Enter");
await page.waitForURL(`${server}/compare?experiments=${other},${long},${short}`);
await page.getByRole("button", { name: `Leave out other-task #${other}` }).click();
await page.waitForURL(`${server}/compare?experiments=${long},${short}`);
await until("two are left", async () => (await seen("compared").locator("li").count()) === 2);
await until("there is no baseline to choose from the first", async () => /^No baseline of experiment/.test(await seen("verdict").innerText()));

// An arm that differs by the same in every pair has a difference, no badge and a reason.
const twin = await submit("twin", [0, 1, 2], { epochs: 1 }, ARMS.slice(0, 1));
await until("the twin has succeeded", async () => (await api(`/experiments/${twin}`)).counts.succeeded === 3);
await page.goto(`${server}/compare?experiments=${short},${twin}`);
const twins = page.locator(`[data-arm="${twin}/baseline"]`);
await until("its difference is shown", async () => (await twins.locator(".versus").innerText()).trim() === "0.00");
assert.equal((await twins.locator(".standing").innerText()).trim(), "Cannot tell");

// Wrong addresses are explained.
await page.goto(`${server}/compare?experiments=${short},99`);
await page.getByText("there is no experiment 99").waitFor();
await page.goto(`${server}/compare`);
await seen("nothing-to-compare").waitFor();
assert.deepEqual(complaints, []);
await browser.close();
