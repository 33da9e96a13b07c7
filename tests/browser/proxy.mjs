// The page behind a proxy, at the root or in a folder: node proxy.mjs ADDRESS CHROMIUM SCREENSHOTS
// The server has slots and no experiment yet. The page must not request anything outside the address.

import assert from "node:assert/strict";
import { browser, complaints, page, picture, seen, server, until } from "./page.mjs";

page.on("request", (request) => { if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(`${server}/`)) complaints.push(`outside: ${request.url()}`); });
page.on("response", (response) => { if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`); });

// An experiment that the page's own origin submits appears by itself.
await page.goto(`${server}/`);
await seen("empty").waitFor();
const spec = { recipe: "digits-mlp", overrides: { name: "behind", seeds: [0], train: { epochs: 10 } } };
const submitted = await page.evaluate(async (spec) => {
  const answer = await fetch("api/v1/experiments", { method: "POST", body: JSON.stringify(spec) });
  return { status: answer.status, text: await answer.text() };
}, spec);
assert.equal(submitted.status, 201, submitted.text);
await until("the experiment is listed without a reload", async () => (await seen("experiment-row").count()) === 1);

// Its page follows the jobs to their end.
await seen("experiment-row").click();
await page.waitForURL(`${server}/experiments/1*`);
await page.getByRole("tab", { name: "Jobs", exact: true }).click();
const rows = page.locator("[data-testid=job-row]");
const succeeded = page.locator("[data-testid=job-row][data-state=succeeded]");
await until("all jobs have succeeded", async () => (await rows.count()) === 3 && (await succeeded.count()) === 3);

// A reload shows the same page, and so does a link to a page whose code is fetched when it is opened.
await page.reload();
await until("the reloaded page shows the jobs", async () => (await succeeded.count()) === 3);
await page.getByRole("link", { name: "Workers" }).click();
await page.waitForURL(`${server}/workers`);
await seen("worker").first().waitFor();
await page.goto(`${server}/jobs/1`);
await seen("job-state").waitFor();
await page.getByRole("link", { name: "optlab, all experiments" }).click();
await page.waitForURL(`${server}/`);
await seen("experiment-row").waitFor();
await page.goBack();
await page.waitForURL(`${server}/jobs/1`);
await picture("proxy");

// The documentation of the API.
await page.goto(`${server}/api/docs`);
await page.waitForURL(`${server}/api/docs/`);
await until("the operations are listed", async () => (await page.locator(".opblock").count()) > 20);

assert.deepEqual(complaints, []);
await browser.close();
