import { expect, test } from "vitest";
import { machine } from "./machine";

test("a machine is named by its engine", () => {
  expect(machine({ engine: "slurm", engine_job: "17", node: "n1" })).toBe("Slurm 17 on n1");
  expect(machine({ engine: "kubernetes", engine_job: "pilot-x", node: null })).toBe("Kubernetes pilot-x");
  expect(machine({ engine: null, engine_job: null, node: null })).toBe("");
});
