import { parsePointer, select } from "../json/pointer.ts";
import type { ValueNode } from "../json/strict-json.ts";
import { parameter } from "../parameters.ts";
import { readValue, untyped, type Value } from "../values/value.ts";
import { type Check, checkOf, type ValueTest } from "../values/value-test.ts";
import type { Tests } from "./rule.ts";

/** How conditions are counted: `block` is met by any value that passes, `require` by all that there are. */
export type Mode = "block" | "require";

/** A test over all values of one name. */
export type ValuesCheck = (values: readonly Value[]) => boolean;

export function valuesCheck(test: ValueTest, mode: Mode, ownHost: string): ValuesCheck {
  const check: Check = checkOf(test, ownHost);
  const { present, optional } = test;
  return (values) => {
    if (present === false) return values.length === 0;
    if (values.length === 0) return mode === "require" && optional === true;
    return mode === "block" ? values.some((value) => check(value, true)) : values.every((value) => check(value, false));
  };
}

/** Tests of names that stand once each. */
export function namedTests(tests: Tests, mode: Mode, ownHost: string): (pairs: readonly (readonly [string, string])[]) => boolean {
  const checks = Object.entries(tests).map(([name, test]) => [name, valuesCheck(test, mode, ownHost)] as const);
  return (pairs) =>
    checks.every(([name, check]) => {
      const value = parameter(pairs, name);
      return check(value === undefined ? [] : [untyped(value)]);
    });
}

/** Tests of what JSON Pointers name. */
export function pointerTests(tests: Tests, mode: Mode, ownHost: string): (root: ValueNode | undefined, text: string) => boolean {
  const checks = Object.entries(tests).map(([pointer, test]) => [parsePointer(pointer), valuesCheck(test, mode, ownHost)] as const);
  return (root, text) =>
    checks.every(([pointer, check]) => {
      // Checked at load; a pointer that is none names nothing.
      if (typeof pointer === "string" || root === undefined) return check([]);
      return check(select(root, pointer).map((node) => readValue(node, text)));
    });
}
