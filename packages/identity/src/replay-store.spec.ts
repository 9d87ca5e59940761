import assert from "node:assert/strict";
import { ReplayStore } from "./index.ts";

const jkt = "k".repeat(43);

describe("the replay store", () => {
  it("lets each jti of a key pass once, until it may forget", () => {
    const store = new ReplayStore();
    assert.equal(store.spend(jkt, "jti-1", 120_000, 0), "fresh");
    assert.equal(store.spend(jkt, "jti-1", 240_000, 119_999), "seen");
    assert.equal(store.spend(jkt, "jti-2", 120_000, 0), "fresh");
    assert.equal(store.spend("o".repeat(43), "jti-1", 120_000, 0), "fresh");
    assert.equal(store.size, 3);
    assert.equal(store.spend(jkt, "jti-1", 240_000, 120_000), "fresh");
    assert.equal(store.size, 1);
  });

  it("refuses when it is full, rather than forget, and recovers with time", () => {
    const store = new ReplayStore(2);
    store.spend(jkt, "a", 10_000, 0);
    store.spend(jkt, "b", 20_000, 0);
    assert.equal(store.spend(jkt, "c", 20_000, 0), "full");
    assert.equal(store.spend(jkt, "a", 20_000, 0), "seen");
    assert.equal(store.spend(jkt, "c", 30_000, 10_000), "fresh");
  });
});
