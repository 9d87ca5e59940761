// node test/traces/draw.ts: draws docs/images/trace.svg from one real use, over the servers that can be had.
import { writeFileSync } from "node:fs";
import { startEmbedded } from "../demo/installation.ts";
import { Missing, startScaledOut } from "../demo/scaled-out.ts";
import { oneUse } from "./one-use.ts";
import { waterfall } from "./waterfall.ts";

const scaledOut = await oneUse(startScaledOut).catch((error: unknown) => {
  if (!(error instanceof Missing)) throw error;
  console.error(`all four services in one process, as something is missing: ${error.message}`);
  return undefined;
});
const traced = scaledOut ?? (await oneUse(startEmbedded));
const file = new URL("../../docs/images/trace.svg", import.meta.url);
writeFileSync(file, waterfall(traced.spans));
console.log(`${file.pathname}: ${traced.spans.length} spans`);
await traced.stop();
process.exit(0);
