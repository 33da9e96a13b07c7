// The cost of a large experiment's page in the browser: node speed.mjs SERVER CHROMIUM EXPERIMENT
// Prints script time to open it, then script time and frames while ten updates per second arrive. A measurement, not a
// test.

import { chromium } from "playwright-core";

const [server, executablePath, experiment] = process.argv.slice(2);
const UPDATES = 100;
const EVERY_MS = 100;

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

async function open(prepare = async () => {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await prepare(page);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable");
  await page.goto(`${server}/experiments/${experiment}`);
  for (const chart of ["chart-accuracy", "chart-energy"]) {
    await page.waitForFunction((id) => Number(document.querySelector(`[data-testid=${id}]`)?.dataset.points) > 0, chart);
  }
  const seconds = async (name) => (await devtools.send("Performance.getMetrics")).metrics.find((one) => one.name === name).value;
  return { page, seconds };
}

// Each opening uses a new page; for the first one, nothing is compiled yet.
for (const which of ["first", "second", "third"]) {
  const { page, seconds } = await open();
  await page.waitForTimeout(1000);
  const [script, tasks] = [await seconds("ScriptDuration"), await seconds("TaskDuration")];
  console.log(`${which} opening: ${(script * 1000).toFixed(0)} ms of script, ${(tasks * 1000).toFixed(0)} ms of work in all`);
  await page.close();
}

// Live: the stream of events and the answers are replaced in the page, so that the network and the server cost nothing.
const { page, seconds } = await open(async (page) => {
  await page.addInitScript(() => {
    const real = window.fetch;
    const known = new Map();
    let share = 0.5;
    window.fetch = async (url, options) => {
      if (!String(url).includes("/curves")) return real(url, options);
      if (!known.has(url)) known.set(url, await (await real(url, options)).json());
      const whole = known.get(url);
      const cut = (column) => column.slice(0, Math.ceil(column.length * share));
      const arms = whole.arms.map((arm) => Object.fromEntries(Object.entries(arm).map(([key, value]) => [key, Array.isArray(value) ? cut(value) : value])));
      window.answers = (window.answers ?? 0) + 1;
      return new Response(JSON.stringify({ ...whole, arms }), { headers: { "content-type": "application/json" } });
    };
    window.EventSource = class extends EventTarget {
      static CLOSED = 2;
      constructor() {
        super();
        window.tell = (grown) => {
          share = grown;
          this.dispatchEvent(new MessageEvent("metrics", { data: JSON.stringify({ experiment_id: Number(location.pathname.split("/").pop()) }) }));
        };
      }
      close() {}
    };
  });
});
await page.waitForTimeout(1500);
const before = [await seconds("ScriptDuration"), await seconds("TaskDuration")];
const live = await page.evaluate(
  async ([updates, every]) => {
    const [first, frames, long] = [window.answers, [], []];
    new PerformanceObserver((list) => long.push(...list.getEntries())).observe({ type: "longtask" });
    let running = true;
    const frame = (time) => (frames.push(time), running && requestAnimationFrame(frame));
    requestAnimationFrame(frame);
    for (let update = 1; update <= updates; update++) {
      window.tell(0.5 + (0.5 * update) / updates);
      await new Promise((resolve) => setTimeout(resolve, every));
    }
    running = false;
    const gaps = frames.slice(1).map((time, index) => time - frames[index]);
    return { answers: window.answers - first, frames: frames.length, late: gaps.filter((gap) => gap > 25).length, worst: Math.max(...gaps), long: long.length };
  },
  [UPDATES, EVERY_MS],
);
const [script, tasks] = [(await seconds("ScriptDuration")) - before[0], (await seconds("TaskDuration")) - before[1]];
console.log(
  `live: ${live.answers / 2} redraws of both charts, ${((1000 * script) / UPDATES).toFixed(1)} ms of script and ${((1000 * tasks) / UPDATES).toFixed(1)} ms of work each; ` +
    `${live.frames} frames, ${live.late} later than 25 ms, the worst ${live.worst.toFixed(0)} ms; ${live.long} tasks over 50 ms`,
);
await browser.close();
