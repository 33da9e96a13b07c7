import { beforeEach, expect, test, vi } from "vitest";

const replaceState = vi.fn();

beforeEach(() => {
  vi.resetModules();
  vi.stubGlobal("history", { replaceState });
});

async function routerAt(pathname: string, search = "", base = "/") {
  vi.stubGlobal("location", { pathname, search });
  vi.stubGlobal("document", { baseURI: `http://host${base}` });
  return import("./router.svelte");
}

test("paths are mapped to pages", async () => {
  const { parse } = await routerAt("/");
  expect(parse("/experiments/12/")).toEqual({ page: "experiment", id: 12 });
  expect(parse("/sql/")).toEqual({ page: "sql" });
  expect(parse("/compare")).toEqual({ page: "compare" });
  expect(parse("/runs")).toEqual({ page: "runs" });
  for (const path of ["/experiments/x", "/experiments/1/2", "/jobs/", "/constructor", `/jobs/${"9".repeat(30)}`]) expect(parse(path)).toEqual({ page: "unknown" });
});

test("options are read from the query and written back to it", async () => {
  const { address } = await routerAt("/experiments/1", "?hide=,a,&x=epoch");
  expect(address.list("hide")).toEqual(["a"]);
  address.toggle("hide", "b");
  expect(replaceState).toHaveBeenLastCalledWith(null, "", "/experiments/1?hide=a,b&x=epoch");
  address.toggle("hide", "a");
  address.toggle("hide", "b");
  expect(address.list("hide")).toEqual([]);
  expect(replaceState).toHaveBeenLastCalledWith(null, "", "/experiments/1?x=epoch");
});

test("under a prefix, paths of pages are relative to it", async () => {
  const { address } = await routerAt("/lab/optlab/experiments/7", "?x=epoch", "/lab/optlab/");
  expect(address.route).toEqual({ page: "experiment", id: 7 });
  address.set("x", null);
  expect(replaceState).toHaveBeenLastCalledWith(null, "", "/lab/optlab/experiments/7");
});
