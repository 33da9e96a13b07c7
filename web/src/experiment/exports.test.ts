import { expect, test } from "vitest";
import { styleArms } from "../arms";
import { figureCsv, toCsv } from "../csv";
import { lineOf } from "../chart/curves";
import { paint, placeIn, type Figure } from "../chart/paint";
import { svgPen } from "../chart/pen";
import { sqlOf } from "./sql";

const [style] = styleArms([{ name: "opt", method: "opt:cayley" }]);
const line = lineOf(style!, { steps: [0, 10, 20], mean: [1, 2, 4], std: [0.1, 0.1, null], n: [2, 2, 1] }, 1);
const figure: Figure = { title: "loss <1>", lines: [line], runs: [], x_title: "step", y_title: "loss", x: [0, 20], y: [0, 4], log: false, zero: false, levels: [], strong: [] };

test("a CSV table has mean, deviation and number of seeds of every point", () => {
  expect(figureCsv(figure)).toBe("arm,step,mean,std,n\r\nopt,0,1,0.1,2\r\nopt,10,2,0.1,2\r\nopt,20,4,,1\r\n");
  expect(figureCsv({ ...figure, x: [5, 15] })).toBe("arm,step,mean,std,n\r\nopt,10,2,0.1,2\r\n");
  expect(figureCsv({ ...figure, x_title: "epoch" }).split("\r\n")[0]).toBe("arm,step,epoch,mean,std,n");
  const run = { style: style!, seed: 3, steps: [5], x: [5], values: [0.5] };
  expect(figureCsv({ ...figure, runs: [run] })).toBe("arm,seed,step,value\r\nopt,3,5,0.5\r\n");
  expect(toCsv(["a"], [['say "x, y"']])).toBe('a\r\n"say ""x, y"""\r\n');
});

test("an SVG figure has lines as paths, thinner where seeds are missing", () => {
  const pen = svgPen(200, 100, "serif", "#fff");
  paint(pen, figure, placeIn(figure, 0, 0, 200, 100), (token) => (token === "--band" ? "0.2" : "#0072b2"));
  pen.text([0, 0], "a < b & c", { colour: "#000", size: 12 });
  const svg = pen.document();
  expect(svg).toContain('d="M0 75L100 50" fill="none" stroke="#0072b2" stroke-width="1.5"');
  expect(svg).toContain('d="M100 50L200 0" fill="none" stroke="#0072b2" stroke-width="0.75"');
  expect(svg).toContain('d="M0 72.5L100 47.5L100 52.5L0 77.5Z"');
  expect(svg).toContain("a &lt; b &amp; c");
});

test("on a logarithmic axis equal ratios are equal distances", () => {
  const { y } = placeIn({ ...figure, y: [1, 100], log: true }, 0, 0, 100, 100);
  expect([1, 10, 100].map((value) => Math.round(y(value)))).toEqual([100, 50, 0]);
  expect(y(0)).toBeGreaterThan(100);
});

test("the query names the series, the arms, the range and the buckets", () => {
  const shown = { experiments: [7], series: "train/loss", arms: ["baseline", "it's"], range: null, width: 1, baseline: null };
  expect(sqlOf(shown)).toContain("j.experiment_id = 7 AND s.name = 'train/loss'");
  expect(sqlOf(shown)).toContain("IN ('baseline', 'it''s')");
  expect(sqlOf({ ...shown, range: [100, 200], width: 16 })).toMatch(/p\.step \/ 16 \* 16[\s\S]*BETWEEN 100 AND 200/);
  expect(sqlOf({ ...shown, series: "test/error" })).toMatch(/100 - p\.value[\s\S]*'test\/accuracy'/);
  expect(sqlOf({ ...shown, arms: ["opt"], baseline: "baseline" })).toContain("b.arm = 'baseline'");
  const two = sqlOf({ ...shown, experiments: [1, 4], arms: ["1/opt", "4/opt"] });
  expect(two).toContain("SELECT j.experiment_id || '/' || j.arm AS arm, j.seed");
  expect(two).toContain("WHERE j.experiment_id IN (1, 4) AND s.name = 'train/loss'");
  expect(two).toContain("AND j.experiment_id || '/' || j.arm IN ('1/opt', '4/opt')");
});
