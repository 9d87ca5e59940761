import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Action, CeilingSchema } from "@sallyport/contracts";
import fc from "fast-check";
import {
  allActions,
  type Ceiling,
  ceilingAllows,
  ceilingContains,
  ceilingFromWire,
  ceilingOf,
  ceilingToWire,
  unlimitedCeiling,
} from "./index.ts";

const only = (secrets: string[], targets = ["*"], actions: Action[] = [Action.USE]) => ceilingOf([{ actions, secrets, targets }]);

// Few names over few segments, so that containment and its absence are both common.
const exactName = fc.array(fc.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));
const name = fc.oneof(
  exactName,
  exactName.map((stem) => `${stem}/*`),
  fc.constant("*"),
);
const action = fc.constantFrom(Action.USE, Action.READ, Action.WRITE);
const listOf = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 3 });
const ceiling = fc
  .array(fc.record({ actions: listOf(action), secrets: listOf(name), targets: listOf(name) }), { minLength: 1, maxLength: 3 })
  .map(ceilingOf);
const request = fc.tuple(action, fc.option(exactName, { nil: undefined }), fc.option(exactName, { nil: undefined }));

describe("a ceiling", () => {
  it("allows names below a segment's edge and no others", () => {
    const prod = only(["prod/*"]);
    assert.ok(ceilingAllows(prod, Action.USE, "prod/a", "t"));
    assert.ok(ceilingAllows(prod, Action.USE, "prod/a/b", "t"));
    for (const outside of ["prod", "production/x", "x/prod/a", "prod2/a"])
      assert.ok(!ceilingAllows(prod, Action.USE, outside, "t"), outside);
    assert.ok(!ceilingAllows(prod, Action.READ, "prod/a"));
    assert.ok(!ceilingAllows(prod, Action.UNSPECIFIED, "prod/a"));
  });

  it("needs one entry that allows all of a request, and one parent entry for each of a child's", () => {
    const parent = ceilingOf([
      { actions: [Action.USE], secrets: ["a"], targets: ["x"] },
      { actions: [Action.USE], secrets: ["b"], targets: ["y"] },
    ]);
    assert.ok(!ceilingAllows(parent, Action.USE, "a", "y"));
    assert.ok(!ceilingContains(parent, ceilingOf([{ actions: [Action.USE], secrets: ["a", "b"], targets: ["x"] }])));
    assert.ok(ceilingContains(parent, parent));
  });

  it("with an empty or absent list is refused, never read as everything", () => {
    const full = { actions: [Action.USE], secrets: ["a"], targets: ["x"] };
    for (const broken of [
      [],
      [{ ...full, actions: [] }],
      [{ ...full, secrets: [] }],
      [{ ...full, targets: [] }],
      [{ ...full, secrets: [""] }],
    ]) {
      assert.throws(() => ceilingOf(broken), { reason: "INVALID_REQUEST" }, JSON.stringify(broken));
    }
    assert.throws(() => ceilingFromWire(undefined), { reason: "INVALID_REQUEST" });
    assert.throws(() => ceilingFromWire(create(CeilingSchema, {})), { reason: "INVALID_REQUEST" });
  });

  it("with an absent or unknown action is refused", () => {
    for (const unknown of [Action.UNSPECIFIED, 99 as Action])
      assert.throws(() => only(["a"], ["x"], [unknown]), { reason: "INVALID_REQUEST" });
  });

  it("is the same after a trip over the wire", () => {
    fc.assert(fc.property(ceiling, (some) => assert.deepEqual(ceilingFromWire(create(CeilingSchema, ceilingToWire(some))), some)));
  });

  it("without limits contains every other", () => {
    fc.assert(fc.property(ceiling, (some) => ceilingContains(unlimitedCeiling, some)));
    assert.ok(allActions.every((each) => ceilingAllows(unlimitedCeiling, each, "any/secret", "any")));
  });
});

describe("containment of ceilings", () => {
  it("is reflexive", () => fc.assert(fc.property(ceiling, (some) => ceilingContains(some, some))));

  it("is transitive", () => {
    fc.assert(
      fc.property(ceiling, ceiling, ceiling, (a, b, c) => !(ceilingContains(a, b) && ceilingContains(b, c)) || ceilingContains(a, c)),
      { numRuns: 3000 },
    );
  });

  it("both ways means the same rights", () => {
    const sameRights = (a: Ceiling, b: Ceiling, [what, secret, target]: [Action, string | undefined, string | undefined]) =>
      ceilingAllows(a, what, secret, target) === ceilingAllows(b, what, secret, target);
    fc.assert(
      fc.property(ceiling, ceiling, request, (a, b, asked) => !(ceilingContains(a, b) && ceilingContains(b, a)) || sameRights(a, b, asked)),
      { numRuns: 3000 },
    );
  });

  it("gives a child no right that its parent lacks", () => {
    const narrowed = fc.tuple(ceiling, ceiling).map(([parent, other]): [Ceiling, Ceiling] => [
      // Both a random pair, which rarely nests, and a pair made to nest.
      parent,
      ceilingContains(parent, other)
        ? other
        : ceilingOf(parent.entries.map((entry) => ({ ...entry, secrets: [below(entry.secrets[0] as string)] }))),
    ]);
    fc.assert(
      fc.property(narrowed, request, ([parent, child], [what, secret, target]) => {
        assert.ok(ceilingContains(parent, child));
        return !ceilingAllows(child, what, secret, target) || ceilingAllows(parent, what, secret, target);
      }),
      { numRuns: 3000 },
    );
  });
});

const below = (pattern: string) => (pattern === "*" ? "a/*" : pattern.endsWith("/*") ? `${pattern.slice(0, -1)}a` : pattern);
