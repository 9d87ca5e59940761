import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import { AddressLimit } from "./address-limit.ts";

describe("what one address may do a minute", () => {
  let port = 1;
  const count = (limit: AddressLimit, address: string) => limit.count(`${address}:${port++}`);
  const limited = (limit: AddressLimit, address: string): number | undefined => {
    try {
      count(limit, address);
      return undefined;
    } catch (error) {
      assert.ok(error instanceof Refusal && error.reason === "RATE_LIMITED");
      return error.retryAfterMs;
    }
  };

  it("is so much and no more, says when again, and is another's own", () => {
    let now = 0;
    const limit = new AddressLimit(3, () => now);
    for (let n = 0; n < 3; n++) count(limit, "192.0.2.1");
    now = 20_000;
    assert.equal(limited(limit, "192.0.2.1"), 40_000);
    assert.equal(limited(limit, "192.0.2.2"), undefined);
    now = 60_000;
    assert.equal(limited(limit, "192.0.2.1"), undefined);
  });

  it("is the same however an address is written, and for all of a /64", () => {
    for (const [one, other] of [
      ["192.0.2.1", "::ffff:192.0.2.1"],
      ["2001:db8::1", "2001:db8:0:0:ffff::2"],
      ["2001:0db8::1", "2001:db8::"],
      ["fe80::1%eth0", "fe80::2"],
      ["::1", "0:0:0:0:0:0:0:1"],
    ] as const) {
      const limit = new AddressLimit(1, () => 0);
      count(limit, one);
      assert.notEqual(limited(limit, other), undefined, other);
    }
    const limit = new AddressLimit(1, () => 0);
    count(limit, "2001:db8::1");
    assert.equal(limited(limit, "2001:db8:0:1::1"), undefined);
  });

  it("is remembered of so many addresses and no more", () => {
    const limit = new AddressLimit(1, () => 0, 100);
    for (let n = 0; n < 10_000; n++) count(limit, `192.0.${n >> 8}.${n & 255}`);
    assert.equal(limit.size, 100);
    assert.notEqual(limited(limit, "192.0.39.15"), undefined, "the last is remembered");
  });
});
