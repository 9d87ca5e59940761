import assert from "node:assert/strict";
import { NonceMint, nonceLifetimeMs } from "./index.ts";

describe("a nonce", () => {
  const mint = new NonceMint({ replica: "broker-1" });

  it("is good for two minutes at the replica that gave it", () => {
    const nonce = mint.current(50_000);
    assert.deepEqual(mint.check(nonce, 51_000), { kind: "fresh", ageMs: 1000, expiresAt: 170_000 });
    assert.equal(mint.check(nonce, 50_000 + nonceLifetimeMs - 1).kind, "fresh");
    assert.equal(mint.check(nonce, 50_000 + nonceLifetimeMs).kind, "stale");
  });

  it("changes with time, and is not good before its time", () => {
    assert.equal(mint.current(50_000), mint.current(59_999));
    assert.notEqual(mint.current(50_000), mint.current(60_000));
    assert.equal(mint.check(mint.current(60_000), 50_000).kind, "stale");
  });

  it("of another replica, or of this one before a restart, is foreign", () => {
    assert.equal(mint.check(new NonceMint({ replica: "broker-2" }).current(0), 0).kind, "foreign");
    assert.equal(mint.check(new NonceMint({ replica: "broker-1" }).current(0), 0).kind, "foreign");
  });

  it("that was altered or made up is invalid", () => {
    const nonce = mint.current(0);
    const [tag, , mac] = nonce.split(".") as [string, string, string];
    for (const bad of [
      "",
      "x",
      `${tag}.zzz.${mac}`,
      `${nonce}x`,
      `${nonce.slice(0, -1)}${nonce.endsWith("A") ? "B" : "A"}`,
      `${tag}.00.${mac}`,
    ]) {
      assert.equal(mint.check(bad, 0).kind, "invalid", bad);
    }
  });
});
