// The tabs of pages about experiments.

const TEXTS = {
  overview: "Overview", jobs: "Jobs", charts: "All charts", layers: "Layers", seeds: "Arms × seeds", statistics: "Statistics",
  cost: "Accuracy against cost", spec: "Spec",
} as const;

/** The tabs of a page; that of warnings is last, and present only if there are some or the address names it. */
export function tabsOf(keys: (keyof typeof TEXTS)[], warnings: number, asked: string | null): { key: string; text: string }[] {
  const tabs = keys.map((key) => ({ key: key as string, text: TEXTS[key] as string }));
  return warnings > 0 || asked === "warnings" ? [...tabs, { key: "warnings", text: `Warnings ${warnings}` }] : tabs;
}
