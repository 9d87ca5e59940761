import { parseArgs } from "node:util";

export interface SoakSettings {
  readonly seconds: number;
  readonly agents: number;
  /** Each agent belongs to one; a tree's root signs in, the others are delegated to. */
  readonly trees: number;
  /** Seconds from one fault to the next. */
  readonly faultEvery: number;
  /** Uses a second that all agents together try for. */
  readonly rate: number;
  /** What the faults and the uses are drawn from: the same seed draws the same ones. */
  readonly seed: number;
  /** Where the plot goes. */
  readonly svg?: string | undefined;
  readonly json?: string | undefined;
}

const whole = (min: number, max: number) => ({ min, max, whole: true });
const bounds = {
  seconds: { min: 5, max: 86_400, whole: false },
  agents: whole(2, 5_000),
  trees: whole(1, 500),
  "fault-every": { min: 1, max: 3_600, whole: false },
  rate: { min: 0.1, max: 10_000, whole: false },
  seed: whole(0, 2 ** 31 - 1),
} as const;

const defaults = { seconds: "600", agents: "500", trees: "50", "fault-every": "20", rate: "60" };

export const soakUsage = `npm run soak -- [--seconds N] [--agents N] [--trees N] [--fault-every N] [--rate N] [--seed N] [--svg FILE] [--json FILE]

  --seconds N      how long the agents work, ${bounds.seconds.min} or more; ${defaults.seconds} unless given
  --agents N       agents at work, ${defaults.agents} unless given; at least as many as trees
  --trees N        delegation trees that they stand in, ${defaults.trees} unless given
  --fault-every N  seconds from one fault to the next, ${defaults["fault-every"]} unless given
  --rate N         uses a second that all of them together try for, ${defaults.rate} unless given
  --seed N         draws the same faults again; random unless given, and named in the report
  --svg FILE       the plot of latencies and errors; it is printed as text in any case
  --json FILE      the report's figures`;

/** @throws Error with the sentence for a person, where an argument is not understood */
export function parseSoakSettings(args: readonly string[]): SoakSettings | "help" {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...(Object.fromEntries(Object.keys(bounds).map((name) => [name, text])) as Record<keyof typeof bounds, typeof text>),
      svg: text,
      json: text,
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return "help";
  const read = (name: keyof typeof bounds, otherwise: string) => numberIn(name, values[name] ?? otherwise);
  const settings = {
    seconds: read("seconds", defaults.seconds),
    agents: read("agents", defaults.agents),
    trees: read("trees", defaults.trees),
    faultEvery: read("fault-every", defaults["fault-every"]),
    rate: read("rate", defaults.rate),
    seed: read("seed", `${Math.floor(Math.random() * 2 ** 31)}`),
  };
  if (settings.agents < settings.trees) throw new Error(`--agents ${settings.agents}: each of the ${settings.trees} trees needs one.`);
  return { ...settings, svg: values.svg, json: values.json };
}

function numberIn(name: keyof typeof bounds, text: string): number {
  const { min, max, whole } = bounds[name];
  const value = Number(text);
  if (text.trim() === "" || !(value >= min && value <= max) || (whole && !Number.isInteger(value)))
    throw new Error(`--${name} ${text}: give a ${whole ? "whole " : ""}number from ${min} to ${max}.`);
  return value;
}
