import type { ValueTest } from "../values/value-test.ts";
import type { Conditions, Rule } from "./rule.ts";

type Shape = { readonly [setting: string]: true | Shape | "tests" | "test" };

const test: { [K in keyof Required<ValueTest>]: true } = {
  equals: true,
  oneOf: true,
  matches: true,
  hosts: true,
  otherHosts: true,
  min: true,
  max: true,
  maxLength: true,
  type: true,
  keys: true,
  present: true,
  optional: true,
};
const conditions: { [K in keyof Required<Conditions>]: true | Shape | "tests" } = {
  query: "tests",
  headers: "tests",
  contentType: true,
  fields: { names: true, value: "test" },
  json: "tests",
  form: "tests",
  multipart: { fields: "tests", files: { types: true, name: "test", maxCount: true } },
  graphql: { types: true, operations: true, rootFields: true, maxDepth: true, deeperThan: true },
  mcp: { methods: true, tools: true, arguments: "tests" },
};
const rule: { [K in keyof Required<Rule>]: true | Shape } = {
  name: true,
  when: { methods: true, path: true },
  block: conditions,
  require: conditions,
  because: true,
};

/**
 * Whether this version knows every setting of a rule, and what to do by it. A rule that it does not wholly know is none that it could
 * apply in part: leaving out what is unknown would allow what the rule forbids.
 */
export const isKnown = (given: Rule): boolean =>
  (given.block === undefined) !== (given.require === undefined) &&
  fits(given, rule) &&
  (typeof given.block !== "string" || given.block === "always");

function fits(value: unknown, shape: Shape | true | "tests" | "test"): boolean {
  if (value === undefined || shape === true || typeof value !== "object" || value === null) return true;
  if (shape === "test") return fits(value, test);
  if (shape === "tests") return Object.values(value).every((one) => fits(one, test));
  return Object.entries(value).every(([setting, inner]) => {
    const known = Object.hasOwn(shape, setting) ? shape[setting] : undefined;
    return inner === undefined || (known !== undefined && fits(inner, known));
  });
}
