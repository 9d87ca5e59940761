import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ChainSchema, LinkKind as WireKind } from "@sallyport/contracts";
import { deployChain } from "./credential.fixture.ts";
import {
  actorOf,
  chainFromWire,
  chainOf,
  chainToWire,
  childChain,
  depthOf,
  describeChain,
  type Link,
  newSessionId,
  principalOf,
} from "./index.ts";

const person: Link = { id: "corp/alice", kind: "person", sid: newSessionId() };
const agent = (id: string, sid = newSessionId()): Link => ({ id, kind: "agent", sid });

describe("a chain", () => {
  it("leads from the principal to the agent that asks", () => {
    const chain = deployChain();
    assert.equal(principalOf(chain).id, "corp/alice");
    assert.equal(actorOf(chain).id, "corp/alice#release/deploy");
    assert.equal(depthOf(chain), 2);
    assert.equal(describeChain(chain), "corp/alice → release → deploy");
  });

  it("is the same after a trip over the wire", () => {
    const bot = chainOf([{ id: "ci/bot", kind: "pipeline", sid: newSessionId(), owner: "corp/alice" }], ["ci/bots", "ci/bots"]);
    for (const chain of [deployChain(), bot]) assert.deepEqual(chainFromWire(create(ChainSchema, chainToWire(chain))), chain);
  });

  it("whose ids do not nest, link by link, is refused", () => {
    for (const links of [
      [],
      [agent("corp/alice#a")],
      [person, { ...agent("corp/alice#a"), kind: "service" as const }],
      [person, agent("corp/alice")],
      [person, agent("corp/bob#a")],
      [person, agent("corp/alice#a/b")],
      [person, agent("corp/alice#a"), agent("corp/alice#b/c")],
      [person, agent("corp/alice#a"), agent("corp/alice#ab")],
      [person, agent("corp/alice#a", person.sid)],
      [person, { ...agent("corp/alice#a"), owner: "corp/bob" }],
    ]) {
      assert.throws(() => chainOf(links), { reason: "INVALID_REQUEST" }, JSON.stringify(links));
    }
  });

  it("of more than sixteen agents is refused", () => {
    let chain = chainOf([person]);
    for (let depth = 0; depth < 16; depth++) chain = childChain(chain, "a", newSessionId());
    assert.throws(() => childChain(chain, "a", newSessionId()), /16 agents/);
  });

  it("from a message with an absent or unknown kind is refused", () => {
    const wire = chainToWire(chainOf([person]));
    for (const kind of [WireKind.UNSPECIFIED, 99 as WireKind]) {
      assert.throws(() => chainFromWire(create(ChainSchema, { ...wire, links: [{ ...wire.links[0], kind }] })), {
        reason: "INVALID_REQUEST",
      });
    }
    assert.throws(() => chainFromWire(undefined), { reason: "INVALID_REQUEST" });
  });
});
