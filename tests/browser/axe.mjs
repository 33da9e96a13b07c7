// Checks pages for accessibility: node axe.mjs SERVER CHROMIUM PATH...
// Both themes; ends with 1 where a page has a serious fault.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [server, executablePath, ...paths] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
let faults = 0;

for (const colorScheme of ["light", "dark"]) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme });
  for (const path of paths) {
    await page.goto(server + path);
    await page.waitForTimeout(3000);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    for (const { id, impact, help, nodes } of violations) {
      if (impact === "serious" || impact === "critical") faults++;
      console.log(`${colorScheme} ${path}: ${impact} ${id}: ${help}`);
      for (const node of nodes.slice(0, 4)) console.log(`    ${node.html.slice(0, 160)}\n    ${node.any[0]?.message ?? node.failureSummary}`);
    }
    if (violations.length === 0) console.log(`${colorScheme} ${path}: nothing found`);
  }
  await page.close();
}
await browser.close();
process.exit(faults ? 1 : 0);
