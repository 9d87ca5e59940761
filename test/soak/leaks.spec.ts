import assert from "node:assert/strict";
import { encodingsOf } from "@sallyport/masking";
import { leaksIn } from "./leaks.ts";

const canary = "kJ8s0QmXw2ZpLr5vTn7bYc4dEf6gHa1uRt9o/+x";
const before = Buffer.from('{"time":1,"path":"/v1/orders/17","note":"');

describe("looking for a canary in what a soak writes", () => {
  for (const { encoding, bytes } of encodingsOf(canary)) {
    it(`finds it as ${encoding}`, () => {
      assert.notDeepEqual(leaksIn(Buffer.concat([before, bytes, Buffer.from(' tail"}')]), canary), []);
    });
  }

  it("finds it in base64 of whatever stands around it", () => {
    for (const ahead of ["", "a", "ab", "abc"]) {
      const packed = Buffer.from(`${ahead}${canary}and more`);
      for (const form of ["base64", "base64url"] as const) assert.notDeepEqual(leaksIn(Buffer.from(packed.toString(form)), canary), []);
    }
  });

  it("finds a part of it", () => assert.notDeepEqual(leaksIn(Buffer.from(`…${canary.slice(3, 30)}…`), canary), []));

  it("finds nothing in other text, nor in other values of the same form", () => {
    const others = Buffer.from(
      `${"A".repeat(4000)} ${canary.split("").reverse().join("")} ${Buffer.from(canary.slice(0, 5)).toString("hex")}`,
    );
    assert.deepEqual(leaksIn(Buffer.concat([before, others]), canary), []);
  });
});
