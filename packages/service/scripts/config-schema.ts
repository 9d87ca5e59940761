import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configJsonSchema } from "../src/config/json-schema.ts";

/** Writes deploy/sallyport.schema.json from the code; with `--check` only says whether it is up to date. */
const file = new URL("../../../deploy/sallyport.schema.json", import.meta.url);
const text = `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
if (process.argv.includes("--check")) {
  if (JSON.stringify(JSON.parse(readFileSync(file, "utf8"))) !== JSON.stringify(JSON.parse(text))) {
    console.error("deploy/sallyport.schema.json is not what the code says; run: node packages/service/scripts/config-schema.ts");
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, text);
  execFileSync(fileURLToPath(new URL("../../../node_modules/.bin/biome", import.meta.url)), ["format", "--write", fileURLToPath(file)]);
}
