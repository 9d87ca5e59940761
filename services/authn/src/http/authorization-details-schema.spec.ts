import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Refusal } from "@sallyport/contracts";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { ceilingFromDetails } from "./authorization-details.ts";
import { authorizationDetailsSchema } from "./authorization-details-schema.ts";

const isValid = new Ajv2020({ strict: true, unicodeRegExp: true }).compile(authorizationDetailsSchema);

function isTaken(details: unknown): boolean {
  try {
    ceilingFromDetails(JSON.stringify(details));
    return true;
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error));
    return false;
  }
}

const good = { type: "sallyport", actions: ["use"], secrets: ["prod/*"], targets: ["*"] };
const part = fc.constantFrom("a", "prod", "*", "", ".", "..", "x y", "é", "a#b", "a\\b", "\u202e", "...", "a*");
const name = fc.oneof(
  fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
  fc.constant("x".repeat(201)),
);
const names = fc.oneof(
  { weight: 5, arbitrary: fc.array(name, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom(null, "a", [1]) },
);
const detail = fc.record(
  {
    type: fc.constantFrom("sallyport", "sallyport", "sallyport", "other"),
    actions: fc.oneof(fc.constant(["use"]), fc.array(fc.constantFrom("use", "delegate", "fly"), { maxLength: 2 })),
    secrets: names,
    targets: names,
    more: fc.constant(1),
  },
  { requiredKeys: ["type", "actions", "secrets", "targets"] },
);

describe("the JSON Schema of authorization_details (RFC 9396)", () => {
  it("is the file in the documentation", () => {
    const file = new URL("../../../../docs/authorization-details.schema.json", import.meta.url);
    assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), JSON.parse(JSON.stringify(authorizationDetailsSchema)));
  });

  it("takes what the token endpoint takes, and nothing else", () => {
    for (const [details, taken] of [
      [[good], true],
      [[{ ...good, secrets: ["prod/orders/api", "a/b/*", "*"] }], true],
      [[], false],
      [{}, false],
      [[{ ...good, secrets: ["prod/../x"] }], false],
      [Array.from({ length: 65 }, () => good), false],
    ] as const) {
      assert.equal(isTaken(details), taken, JSON.stringify(details).slice(0, 200));
      assert.equal(isValid(details), taken, JSON.stringify(details).slice(0, 200));
    }
    fc.assert(
      fc.property(fc.array(detail, { maxLength: 2 }), (details) => {
        assert.equal(isValid(details), isTaken(details));
      }),
      { numRuns: 2_000 },
    );
  });
});
