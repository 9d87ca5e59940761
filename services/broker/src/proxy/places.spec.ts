import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import { Places } from "./places.ts";

describe("places at the proxy", () => {
  it("are bounded for each tree of agents, and free again at the end", () => {
    const places = new Places(2);
    const [tree, other] = [{ rootSid: "a" }, { rootSid: "b" }];
    const first = places.take(tree);
    places.take(tree);
    assert.throws(
      () => places.take(tree),
      (error) => error instanceof Refusal && error.reason === "RATE_LIMITED",
    );
    places.take(other);
    first[Symbol.dispose]();
    places.take(tree);
  });
});
