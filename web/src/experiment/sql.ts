// The query for the points of a chart, on SQLite and Postgres.

import { sourceOf } from "../chart/derived";

export interface Shown {
  /** Their arms are named `ID/ARM` if there are several. */
  experiments: readonly number[];
  series: string;
  arms: string[];
  /** First and last step. */
  range: [number, number] | null;
  /** Steps per bucket, from the server's answer. */
  width: number;
  /** The arm that is subtracted, if differences are shown. */
  baseline: string | null;
}

export function sqlOf(shown: Shown): string {
  return shown.baseline === null ? means(shown) : differences(shown, shown.baseline);
}

function means(shown: Shown): string {
  return `-- ${shown.series} of ${experimentsOf(shown)}: mean and sample standard deviation over the seeds of each arm
WITH points AS (
${points(shown, shown.arms)}
), means AS (
  SELECT arm, step, avg(value) AS mean, min(low) AS low, max(high) AS high, count(*) AS n
  FROM points GROUP BY arm, step
)
SELECT m.arm, m.step, m.mean,
       CASE WHEN m.n > 1 THEN sqrt(sum((p.value - m.mean) * (p.value - m.mean)) / (m.n - 1)) END AS std,
       m.low, m.high, m.n
FROM means m JOIN points p ON p.arm = m.arm AND p.step = m.step
GROUP BY m.arm, m.step, m.mean, m.low, m.high, m.n
ORDER BY m.arm, m.step`;
}

function differences(shown: Shown, baseline: string): string {
  return `-- ${shown.series} of ${experimentsOf(shown)}: each arm minus ${quoted(baseline)}, paired by seed
WITH points AS (
${points(shown, [...shown.arms, baseline])}
), pairs AS (
  SELECT a.arm, a.step, a.value - b.value AS difference
  FROM points a JOIN points b ON b.seed = a.seed AND b.step = a.step AND b.arm = ${quoted(baseline)}
  WHERE a.arm <> ${quoted(baseline)}
), means AS (
  SELECT arm, step, avg(difference) AS mean, count(*) AS n FROM pairs GROUP BY arm, step
)
SELECT m.arm, m.step, m.mean,
       CASE WHEN m.n > 1 THEN sqrt(sum((p.difference - m.mean) * (p.difference - m.mean)) / (m.n - 1)) END AS std, m.n
FROM means m JOIN pairs p ON p.arm = m.arm AND p.step = m.step
GROUP BY m.arm, m.step, m.mean, m.n
ORDER BY m.arm, m.step`;
}

/** One row per run and bucket. A difference uses the middle of a bucket's extremes, as the chart does. */
function points({ experiments, series, range, width, baseline }: Shown, arms: string[]): string {
  const { arm, condition } = armsOf(experiments);
  const source = sourceOf(series);
  const value = source === series ? "p.value" : "100 - p.value";
  const one = baseline === null ? `avg(${value})` : `(min(${value}) + max(${value})) / 2`;
  const step = width > 1 ? `p.step / ${width} * ${width}` : "p.step";
  const lines = [
    `  SELECT ${arm === "j.arm" ? arm : `${arm} AS arm`}, j.seed, ${step} AS step, ${one} AS value, min(${value}) AS low, max(${value}) AS high`,
    "  FROM metric_points p",
    "  JOIN series s ON s.id = p.series_id",
    "  JOIN jobs j ON j.id = p.job_id",
    `  WHERE j.${condition} AND s.name = ${quoted(source)}`,
    `    AND j.phase = 'confirm' AND ${arm} IN (${[...new Set(arms)].map(quoted).join(", ")})`,
  ];
  if (range) lines.push(`    AND p.step BETWEEN ${range[0]} AND ${range[1]}`);
  lines.push(`  GROUP BY ${arm}, j.seed, ${step}`);
  return lines.join("\n");
}

/** The SQL for the name of a job's arm on the page, and the condition on the experiment. */
export function armsOf(experiments: readonly number[]): { arm: string; condition: string } {
  const [first, ...others] = experiments;
  if (others.length === 0) return { arm: "j.arm", condition: `experiment_id = ${first}` };
  return { arm: "j.experiment_id || '/' || j.arm", condition: `experiment_id IN (${experiments.join(", ")})` };
}

function experimentsOf({ experiments }: Shown): string {
  return experiments.length > 1 ? `experiments ${experiments.join(", ")}` : `experiment ${experiments[0]}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
