// npm run bench [-- NAME… [--seconds N] [--warm-up N] [--runs N] [--concurrency N] [--json FILE]]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { brokerUse } from "./broker-use.ts";
import type { Figure, Settings } from "./figure.ts";
import { lifecycle } from "./lifecycle.ts";
import { pdpCheck } from "./pdp-check.ts";
import { proxied } from "./proxy.ts";
import { table } from "./table.ts";

const names = ["broker.use", "pdp.check", "proxy.latency", "proxy.throughput", "start", "idle"];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "2" },
    "warm-up": { type: "string", default: "4" },
    runs: { type: "string", default: "5" },
    concurrency: { type: "string", default: "8" },
    json: { type: "string" },
  },
});
const unknown = positionals.filter((name) => !names.includes(name));
const [seconds, warmUp, runs, concurrency] = [values.seconds, values["warm-up"], values.runs, values.concurrency].map(Number) as [
  number,
  number,
  number,
  number,
];
if (
  unknown.length > 0 ||
  !(seconds > 0) ||
  !(warmUp >= 0) ||
  !(Number.isInteger(runs) && runs > 0) ||
  !(Number.isInteger(concurrency) && concurrency > 0)
) {
  console.error(
    `npm run bench -- [NAME…] [--seconds N] [--warm-up N] [--runs N] [--concurrency N] [--json FILE]; names: ${names.join(", ")}`,
  );
  process.exit(2);
}
// Servers that stand beside ours are fetched where they are not there: whoever benchmarks wants them.
process.env.SALLYPORT_PROVISION ??= "1";
const wanted = new Set(positionals.length === 0 ? names : positionals);
const settings: Settings = { seconds, warmUp, runs, concurrency, say: (text) => console.error(text) };

const figures: Figure[] = [];
if (wanted.has("broker.use")) figures.push(...(await brokerUse(settings)));
if (wanted.has("pdp.check")) figures.push(await pdpCheck(settings));
if (wanted.has("proxy.latency") || wanted.has("proxy.throughput")) figures.push(...(await proxied(settings, wanted)));
if (wanted.has("start") || wanted.has("idle")) figures.push(...(await lifecycle(settings, wanted)));
console.log(table(figures));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
process.exit(0);
