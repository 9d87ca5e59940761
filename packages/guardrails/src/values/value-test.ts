import { RE2JS } from "re2js";
import { leads } from "./host.ts";
import type { Value } from "./value.ts";

type Scalar = string | number | boolean | null;

/** What a value must be; all that is given must hold. */
export interface ValueTest {
  readonly equals?: Scalar | undefined;
  readonly oneOf?: readonly Scalar[] | undefined;
  /** An RE2 pattern that the whole text matches. */
  readonly matches?: string | undefined;
  /** A URL to one of these hosts, or a path of the target's own. */
  readonly hosts?: readonly string[] | undefined;
  /** A reference to any other host than these. */
  readonly otherHosts?: readonly string[] | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Characters of a text. */
  readonly maxLength?: number | undefined;
  readonly type?: Value["type"] | undefined;
  /** The only members that an object may have. */
  readonly keys?: readonly string[] | undefined;
  /** Whether it is there at all. */
  readonly present?: boolean | undefined;
  /** In `require`: that it may be missing, but if it is there, must pass. */
  readonly optional?: boolean | undefined;
}

/** @param loose text counts as the number or word that it spells: for blocking, as some readers convert */
export type Check = (value: Value, loose: boolean) => boolean;

/** The test of one value; `present` and `optional` are looked at by whoever counts values. */
export function checkOf(test: ValueTest, ownHost: string): Check {
  const hosts = (list: readonly string[]) => list.map((host) => (host === "self" ? ownHost : host));
  const checks: Check[] = [];
  const { equals, oneOf, matches, hosts: inside, otherHosts, min, max, maxLength, type, keys } = test;
  if (equals !== undefined) checks.push((value, loose) => isScalar(value, equals, loose));
  if (oneOf !== undefined) checks.push((value, loose) => oneOf.some((scalar) => isScalar(value, scalar, loose)));
  if (matches !== undefined) {
    const pattern = RE2JS.compile(matches);
    checks.push((value, loose) => {
      const text = loose || value.type === "string" ? textOf(value) : undefined;
      return text !== undefined && pattern.matches(text);
    });
  }
  if (inside !== undefined) checks.push((value) => value.type === "string" && leads(value.text, hosts(inside)) === "inside");
  if (otherHosts !== undefined)
    checks.push((value) =>
      value.type === "string" ? leads(value.text, hosts(otherHosts)) === "outside" : value.type === "object" || value.type === "array",
    );
  if (min !== undefined) checks.push((value, loose) => numberOf(value, loose) >= min);
  if (max !== undefined) checks.push((value, loose) => numberOf(value, loose) <= max);
  if (maxLength !== undefined) checks.push((value) => value.type === "string" && [...value.text].length <= maxLength);
  if (type !== undefined) checks.push((value) => value.type === type);
  if (keys !== undefined) checks.push((value) => value.type === "object" && value.keys.every((key) => keys.includes(key)));
  return (value, loose) => checks.every((check) => check(value, loose));
}

const isScalar = (value: Value, scalar: Scalar, loose: boolean): boolean =>
  textOf(value) === String(scalar) &&
  (loose || (value.type === "string" && value.untyped) || value.type === (scalar === null ? "null" : typeof scalar));

function textOf(value: Value): string | undefined {
  switch (value.type) {
    case "string":
      return value.text;
    case "number":
      return String(value.number);
    case "boolean":
      return String(value.is);
    case "null":
      return "null";
    default:
      return undefined;
  }
}

function numberOf(value: Value, loose: boolean): number {
  if (value.type === "number") return value.number;
  return value.type === "string" && (loose || value.untyped) && value.text.trim() !== "" ? Number(value.text) : Number.NaN;
}

/** Why a pattern cannot be used; a sentence's end. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern === "" || pattern.length > 1000) return "must be an RE2 pattern of 1 to 1000 characters";
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch {
    return "must be an RE2 pattern (no look-around, no back references)";
  }
  return compiled.matches("") && compiled.matches("any /:text\u00e9") ? "must not match everything" : undefined;
}
