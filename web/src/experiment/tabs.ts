// The tabs of pages about experiments.

const TEXTS = {
  overview: "Overview", tuning: "Tuning", jobs: "Jobs", charts: "All charts", layers: "Layers", seeds: "Arms × seeds", statistics: "Statistics",
  cost: "Accuracy against cost", spec: "Spec",
} as const;

type Key = keyof typeof TEXTS;

const OF_EXPERIMENT: Key[] = ["overview", "jobs", "charts", "layers", "seeds", "statistics", "cost", "spec"];

/** The tabs of an experiment; only a tuned one has that of its tuning. */
export function keysOf(is_tuned: boolean): Key[] {
  return is_tuned ? [...OF_EXPERIMENT.slice(0, 1), "tuning", ...OF_EXPERIMENT.slice(1)] : OF_EXPERIMENT;
}

/** The tabs of a page; that of warnings is last, and present only if there are some or the address names it. */
export function tabsOf(keys: Key[], warnings: number, asked: string | null): { key: string; text: string }[] {
  const tabs = keys.map((key) => ({ key: key as string, text: TEXTS[key] as string }));
  return warnings > 0 || asked === "warnings" ? [...tabs, { key: "warnings", text: `Warnings ${warnings}` }] : tabs;
}
