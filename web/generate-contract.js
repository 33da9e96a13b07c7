// Writes src/contract.ts, the shapes of all requests and answers, from the OpenAPI document that tests/contract.rs keeps
// as a snapshot. With --check it only compares.

import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const snapshot = readFileSync(new URL("../tests/snapshots/contract__openapi.snap", import.meta.url), "utf8");
// The snapshot begins with a head of its own between two lines of dashes.
const { openapi, info, components } = JSON.parse(snapshot.split("\n---\n", 2)[1]);
const schemas = await openapiTS(
  { openapi, info, components: { schemas: components.schemas } },
  { rootTypes: true, rootTypesNoSchemaPrefix: true, emptyObjectsUnknown: true, silent: true },
);
const header = "// Generated from the OpenAPI document by `npm run contract`. Do not edit.\n\n";
const { JobState, Edit } = components.schemas;
const values = `
/** In the order of the server. */
export const JOB_STATES: readonly JobState[] = ${JSON.stringify(JobState.enum)};
export const HIGHEST_PRIORITY = ${Edit.properties.priority.maximum};
`;
const generated = header + astToString(schemas) + values;

const file = new URL("src/contract.ts", import.meta.url);
if (!process.argv.includes("--check")) {
  writeFileSync(file, generated);
} else if (readFileSync(file, "utf8") !== generated) {
  console.error("src/contract.ts is not what the OpenAPI document says; type: npm run contract");
  process.exit(1);
}
