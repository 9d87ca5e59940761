import { parseArgs } from "node:util";
import type { Settings } from "./figure.ts";

/** What can be measured, in this order. */
export const names = [
  "broker.use",
  "broker.overhead",
  "pdp.check",
  "proxy.latency",
  "proxy.throughput",
  "masking.100",
  "masking.1000",
  "detect",
  "authn.exchange",
  "authn.verify",
  "authn.delegate",
  "authn.revoke",
  "start",
  "idle",
] as const;
export type Name = (typeof names)[number];

export const usage = `npm run bench -- [NAME…] [--seconds N] [--warm-up N] [--runs N] [--concurrency N] [--json FILE]; names: ${names.join(", ")}`;

export interface Arguments {
  readonly wanted: ReadonlySet<Name>;
  readonly settings: Omit<Settings, "say">;
  /** Where the figures go, for a machine. */
  readonly json: string | undefined;
}

/** @returns undefined where they are not what {@link usage} says */
export function parseArguments(args: readonly string[]): Arguments | undefined {
  const given = parsed(args);
  if (given === undefined) return undefined;
  const { values, positionals } = given;
  const [seconds, warmUp, runs, concurrency] = [values.seconds, values["warm-up"], values.runs, values.concurrency].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const sound =
    positionals.every(isName) &&
    seconds > 0 &&
    warmUp >= 0 &&
    [seconds, warmUp].every(Number.isFinite) &&
    [runs, concurrency].every((count) => Number.isInteger(count) && count > 0);
  if (!sound) return undefined;
  const wanted = new Set(positionals.length === 0 ? names : positionals.filter(isName));
  return { wanted, settings: { seconds, warmUp, runs, concurrency }, json: values.json };
}

const isName = (name: string): name is Name => names.includes(name as Name);

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seconds: { type: "string", default: "2" },
        "warm-up": { type: "string", default: "4" },
        runs: { type: "string", default: "5" },
        concurrency: { type: "string", default: "8" },
        json: { type: "string" },
      },
    });
  } catch {
    return undefined; // an option that there is not, or one without its value
  }
}
