// npm run bench [-- NAME… [--seconds N] [--warm-up N] [--runs N] [--concurrency N] [--json FILE]]
import { writeFileSync } from "node:fs";
import { parseArguments, usage } from "./arguments.ts";
import type { Figure, Settings } from "./figure.ts";

const given = parseArguments(process.argv.slice(2));
if (given === undefined) {
  console.error(usage);
  process.exit(2);
}
// Servers that stand beside ours are fetched where they are not there: whoever benchmarks wants them.
process.env.SALLYPORT_PROVISION ??= "1";
const { wanted, json } = given;
const settings: Settings = { ...given.settings, say: (text) => console.error(text) };

const figures: Figure[] = [];
if (wanted.has("broker.use")) figures.push(...(await (await import("./broker-use.ts")).brokerUse(settings)));
if (wanted.has("broker.overhead")) figures.push(...(await (await import("./broker-overhead.ts")).brokerOverhead(settings)));
if (wanted.has("pdp.check")) figures.push(await (await import("./pdp-check.ts")).pdpCheck(settings));
if (wanted.has("proxy.latency") || wanted.has("proxy.throughput"))
  figures.push(...(await (await import("./proxy.ts")).proxied(settings, wanted)));
for (const secrets of [100, 1000] as const)
  if (wanted.has(`masking.${secrets}`)) figures.push(...(await import("./masking.ts")).masking(settings, secrets));
if (wanted.has("detect")) figures.push(...(await import("./detect.ts")).detect(settings));
if ([...wanted].some((name) => name.startsWith("authn.")))
  figures.push(...(await (await import("./authn/authn.ts")).authnFigures(settings, wanted)));
if (wanted.has("start") || wanted.has("idle")) figures.push(...(await (await import("./lifecycle.ts")).lifecycle(settings, wanted)));
const { table } = await import("./table.ts");
console.log(table(figures));
if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, undefined, 2)}\n`);
process.exit(0);
