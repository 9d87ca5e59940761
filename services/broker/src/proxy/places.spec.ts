import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import { Places } from "./places.ts";

describe("places at the proxy", () => {
  it("are bounded for each tree of agents, and free again at the end", () => {
    const places = new Places({ open: 2 });
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

  const refused = (run: () => void) =>
    assert.throws(run, (error) => error instanceof Refusal && error.reason === "RATE_LIMITED" && error.metadata.effect === "none");

  it("keep bodies in a bound for each tree, and let go of them at the end or as they go on", () => {
    const places = new Places({ bytes: 100 });
    const [first, second, other] = [places.take({ rootSid: "a" }), places.take({ rootSid: "a" }), places.take({ rootSid: "b" })];
    first.keep(60);
    refused(() => second.keep(41));
    second.keep(40);
    other.keep(100);
    second.letGo(30);
    first.keep(30);
    refused(() => first.keep(1));
    first[Symbol.dispose]();
    second.keep(90);
    second[Symbol.dispose]();
    places.take({ rootSid: "a" }).keep(100);
  });

  it("and in a bound for all trees", () => {
    const places = new Places({ bytes: 100, allBytes: 150 });
    const [first, second] = [places.take({ rootSid: "a" }), places.take({ rootSid: "b" })];
    first.keep(100);
    refused(() => second.keep(51));
    first[Symbol.dispose]();
    second.keep(100);
  });
});
