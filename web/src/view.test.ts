import { expect, test, vi } from "vitest";
import { getComparison, type Question } from "./api";
import type { Comparison } from "./contract";
import { ExperimentView } from "./view.svelte";

vi.mock("./api", async (original) => ({ ...(await original<typeof import("./api")>()), getComparison: vi.fn() }));

const asked = (metric: string): Question => ({ metric, baseline: null, last: null });

test("an answer is that to its own question, also when answers overtake each other", async () => {
  const answers: ((metric: string) => void)[] = [];
  vi.mocked(getComparison).mockImplementation(() => new Promise((resolve) => answers.push((metric) => resolve({ metric } as Comparison))));
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  const view = new ExperimentView(1);

  view.compare(asked("energy"));
  view.compare(asked("seconds"));
  answers[1]!("seconds");
  await settled();
  answers[0]!("energy");
  await settled();
  expect(view.answerTo(asked("seconds"))?.comparison?.metric).toBe("seconds");
  expect(view.answerTo(asked("energy"))).toBeNull();

  view.compare(asked("energy"));
  expect(view.answerTo(asked("energy"))).toBeNull();
});
