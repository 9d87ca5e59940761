import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { configJsonSchema } from "../../packages/service/src/config/json-schema.ts";
import { root, runTool } from "./command.ts";

const published = "docs/sallyport.schema.json";
const remake = "node test/check/config-schema.ts --write";

const current = () => `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`;

/** The published JSON Schema of sallyport.yaml is what the code accepts. */
export async function schemaIsCurrent(): Promise<string[]> {
  const text = await readFile(join(root, published), "utf8").catch(() => "null");
  return isDeepStrictEqual(JSON.parse(text), JSON.parse(current())) ? [] : [`${published} is not what the code accepts: run \`${remake}\``];
}

if (import.meta.main && process.argv.includes("--write")) {
  await writeFile(join(root, published), current());
  await runTool("biome", ["format", "--write", published]);
}
