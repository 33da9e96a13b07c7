// A reader from another machine: node sign-in.mjs SERVER CHROMIUM SCREENSHOTS TOKEN
// Every expectation waits for the page; the first that fails ends the script with a message.

import assert from "node:assert/strict";
import { browser, context, page, picture, rest, seen, server } from "./page.mjs";

const [token] = rest;
const field = () => seen("sign-in").getByLabel("Token");

async function signIn(with_token) {
  await field().fill(with_token);
  await seen("sign-in").getByRole("button", { name: "Sign in" }).click();
}

// Every address requires a token, and a wrong one is rejected.
await page.goto(`${server}/experiments/1`);
await field().waitFor();
await page.goto(`${server}/`);
await field().waitFor();
await picture("sign-in");
await page.emulateMedia({ colorScheme: "dark" });
await picture("sign-in-dark");
await page.emulateMedia({ colorScheme: "light" });
await signIn(`optlab_${"0".repeat(64)}`);
await page.getByText("unknown or was revoked").waitFor();

// The right one leads to the requested page, and its event stream opens.
const stream = page.waitForResponse((response) => response.url().includes("/api/v1/events"));
await signIn(token);
await seen("empty").waitFor();
assert.equal((await stream).status(), 200);
await picture("signed-in");

// Scripts cannot read the cookie; a reload sends it again.
assert.equal(await page.evaluate(() => document.cookie), "");
const [cookie] = await context.cookies(server);
const folder = new URL(server).pathname;
assert.deepEqual([cookie.value, cookie.path, cookie.httpOnly, cookie.sameSite], [token, folder, true, "Strict"]);
await page.reload();
await seen("empty").waitFor();

// A token with read scope is labelled, and no action that the server would reject is offered.
await seen("read-only").waitFor();
await page.goto(`${server}/new`);
await page.getByText("Your token has the scope").waitFor();
assert.ok(await page.getByRole("button", { name: "Submit" }).isDisabled());
await picture("new-read-only");
await page.goto(`${server}/`);
await seen("empty").waitFor();

// After signing out, the page requires a token again, also after a reload.
await seen("sign-out").click();
await field().waitFor();
assert.deepEqual(await context.cookies(), []);
await page.reload();
await field().waitFor();

// A revoked token ends an open page.
await signIn(token);
await seen("empty").waitFor();
console.log("the token may be revoked now");
await field().waitFor();

await browser.close();
