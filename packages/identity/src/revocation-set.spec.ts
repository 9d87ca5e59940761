import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { RevocationSchema } from "@sallyport/contracts";
import { deployChain, issued } from "./credential.fixture.ts";
import { chainOf, RevocationSet } from "./index.ts";

const chain = deployChain();
const credential = { chain, sessionStarts: [issued - 30, issued - 20, issued - 10], issuedAt: issued, provider: "corp" };
const [alice, release, deploy] = chain.links as unknown as [{ sid: string }, { sid: string }, { sid: string }];

type Subject = NonNullable<MessageInitShape<typeof RevocationSchema>["subject"]>;
const revocation = (subject: Subject, atSeconds = issued, sequence = 1n) =>
  create(RevocationSchema, { sequence, subject, at: timestampFromMs(atSeconds * 1000) });

function revokedBy(subject: Subject, atSeconds?: number, of: Parameters<RevocationSet["revokes"]>[0] = credential) {
  const set = new RevocationSet();
  assert.equal(set.apply(revocation(subject, atSeconds)), "applied");
  return set.revokes(of);
}

describe("a revocation", () => {
  it("of a session ends everything below it, for ever", () => {
    for (const { sid } of [alice, release, deploy]) assert.equal(revokedBy({ case: "sessionId", value: sid }, issued - 1_000), "session");
    assert.equal(revokedBy({ case: "sessionId", value: "A".repeat(22) }), undefined);
  });

  it("of a child's session leaves its parent alone", () => {
    const parent = {
      ...credential,
      chain: chainOf(chain.links.slice(0, 2), chain.groups),
      sessionStarts: credential.sessionStarts.slice(0, 2),
    };
    assert.equal(revokedBy({ case: "sessionId", value: deploy.sid }, issued, parent), undefined);
  });

  it("of a principal or a provider ends the sessions that existed, and no later ones", () => {
    for (const subject of [
      { case: "principal", value: "corp/alice" },
      { case: "provider", value: "corp" },
    ] as const) {
      assert.equal(revokedBy(subject, issued - 29), subject.case);
      assert.equal(revokedBy(subject, issued - 30), undefined, "began at that moment or later");
      assert.equal(revokedBy({ ...subject, value: "other" }), undefined);
    }
    assert.equal(revokedBy({ case: "principal", value: "corp/alice#release" }), undefined);
  });

  it("of an agent ends its sessions and what is below, by that agent's own start", () => {
    assert.equal(revokedBy({ case: "agent", value: "corp/alice#release" }, issued - 19), "agent");
    assert.equal(revokedBy({ case: "agent", value: "corp/alice#release" }, issued - 20), undefined);
    assert.equal(revokedBy({ case: "agent", value: "corp/alice#release/deploy" }), "agent");
    assert.equal(revokedBy({ case: "agent", value: "corp/alice#rel" }), undefined);
  });

  it("of all that began before a time looks at the principal's session", () => {
    assert.equal(revokedBy({ case: "startedBefore", value: timestampFromMs((issued - 29) * 1000) }), "started-before");
    assert.equal(revokedBy({ case: "startedBefore", value: timestampFromMs((issued - 30) * 1000) }), undefined);
  });

  it("by narrowing ends what descendants hold, not what they renew, nor the narrowed agent's own", () => {
    const narrowed = { case: "narrowedSessionId", value: release.sid } as const;
    assert.equal(revokedBy(narrowed, issued), "narrowed");
    assert.equal(revokedBy(narrowed, issued + 1), "narrowed");
    assert.equal(revokedBy(narrowed, issued - 1), undefined);
    assert.equal(revokedBy({ ...narrowed, value: deploy.sid }), undefined);
  });

  it("keeps the latest time, whatever order they come in", () => {
    const set = new RevocationSet();
    set.apply(revocation({ case: "principal", value: "corp/alice" }, issued, 1n));
    set.apply(revocation({ case: "principal", value: "corp/alice" }, issued - 100, 2n));
    assert.equal(set.revokes(credential), "principal");
  });

  it("that was seen changes nothing, one after a gap is told, one of an unknown kind too", () => {
    const set = new RevocationSet();
    const first = revocation({ case: "provider", value: "x" }, issued, 1n);
    assert.deepEqual([set.apply(first), set.apply(first), set.lastSequence], ["applied", "applied", 1n]);
    assert.equal(set.apply(revocation({ case: "sessionId", value: deploy.sid }, issued, 3n)), "gap");
    assert.deepEqual([set.revokes(credential), set.lastSequence], ["session", 1n]);
    assert.equal(set.apply(create(RevocationSchema, { sequence: 2n })), "unknown-subject");
  });
});
