import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Action, FollowResponseSchema, RevocationSchema } from "@sallyport/contracts";
import { ceilingOf, chainOf, childChain, type Link, newSessionId, ProofMaker, RevocationSet } from "@sallyport/identity";
import { openState, type State } from "@sallyport/state";
import { Redis } from "ioredis";
import { describeWith, redis, withOptions } from "../../../../test/support/servers.ts";
import { RevocationLog } from "../revocation/revocation-log.ts";
import { Limits } from "./limits.ts";
import type { Session } from "./session.ts";
import { SessionStore } from "./session-store.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Live sessions: a slice, or as many as `SALLYPORT_TEST_SESSIONS` says, such as 1000000. */
const count = Number(process.env.SALLYPORT_TEST_SESSIONS ?? 3_000);
const agentsPerPrincipal = 10;
const atATime = 100;
const hourMs = 3_600_000;

describeWith("many live sessions, in Redis", { server: withOptions(redis, { own: true }) }, ({ server }) => {
  const clock = { now: () => Date.now() };
  let state: State;
  let info: Redis;
  before(async () => {
    // It is room that counts here, not time: a machine that has more to do may be slow.
    state = await openState(server().address, { dataDir: "", clock, timeoutMs: 30_000 });
    await state.startGeneration(1);
    info = new Redis(server().address);
  });
  after(async () => {
    info.disconnect();
    await state.close();
  });
  const memory = async () => Number(/used_memory:(\d+)/.exec(await info.info("memory"))?.[1]);

  it(`take at most 1 KiB each, of which authn keeps nothing (${count} sessions)`, async () => {
    const sessions = new SessionStore(state, Buffer.alloc(32, 7), clock);
    const limits = new Limits(state, sessions, new RevocationLog(state), {
      maxDepth: 8,
      maxAgents: 256,
      delegationsPerMinute: 1_000,
      signInsPerMinute: 1_000,
    });
    const { publicJwk, thumbprint } = ProofMaker.generate();
    const holder = { kind: "key" as const, publicJwk, thumbprint };
    const began = await memory();
    collect();
    const heap = process.memoryUsage().heapUsed;
    let made = 0;
    const trees = Math.ceil(count / agentsPerPrincipal);
    const makeTree = async (tree: number) => {
      for (const session of treeOf(tree, holder)) {
        await limits.takePlace(session, hourMs);
        await sessions.create(session);
        made++;
      }
    };
    for (let from = 0; from < trees; from += atATime)
      await Promise.all(Array.from({ length: Math.min(atATime, trees - from) }, (_, n) => makeTree(from + n)));
    const each = ((await memory()) - began) / made;
    collect();
    const kept = (process.memoryUsage().heapUsed - heap) / made;
    console.log(`      ${Math.round(each)} bytes a session in Redis, ${Math.round(kept)} in authn`);
    assert.ok(each <= 1024, `${each} bytes a session`);
    assert.ok(kept < 100 + 10_000_000 / made, `${kept} bytes a session in authn's own memory`);
  }).timeout(60_000 + count * 5);
});

/** Ten agents, three deep, that work for one principal of two groups. */
function* treeOf(tree: number, holder: Session["holder"]): Iterable<Session> {
  const principal = chainOf(
    [{ id: `corp/person-${tree}@example.com`, kind: "person", sid: newSessionId() }],
    ["corp/release-team", "corp/staff"],
  );
  const second = Math.floor(Date.now() / 1000);
  const ceiling = ceilingOf([
    { actions: [Action.USE, Action.READ], secrets: ["prod/orders/*", "prod/ledger/api"], targets: ["orders-api"] },
  ]);
  for (let agent = 0; agent < agentsPerPrincipal; agent++) {
    const sid = newSessionId();
    const release = childChain(principal, `release-${agent}`, newSessionId());
    const chain = childChain(childChain(release, "deploy", newSessionId()), "migration", sid);
    yield { sid, chain, starts: chain.links.map(() => second), ceiling, holder, binding: "dpop", endsAt: Date.now() + hourMs };
  }
}

describe("revoking a subtree of 10,000", () => {
  it("is one entry of some forty bytes, ends all of them, and nobody beside them", () => {
    const now = 1_800_000_000;
    const root = chainOf([{ id: "corp/alice", kind: "person", sid: newSessionId() }]);
    const release = childChain(root, "release", newSessionId());
    const sibling = childChain(root, "sibling", newSessionId());
    const below = [release];
    while (below.length < 10_000) {
      const chosen = below[(below.length * 7919) % Math.ceil(below.length / 2)] as typeof release;
      below.push(childChain(chosen.links.length > 8 ? release : chosen, `a${below.length}`, newSessionId()));
    }
    const revocation = create(RevocationSchema, {
      sequence: 1n,
      subject: { case: "sessionId", value: (release.links.at(-1) as Link).sid },
      at: timestampFromMs(now * 1000),
    });
    const set = new RevocationSet();
    set.apply(revocation);
    assert.ok(toBinary(RevocationSchema, revocation).length <= 48);
    assert.ok(
      toBinary(FollowResponseSchema, create(FollowResponseSchema, { generation: "g".repeat(22), epoch: 1n, revocations: [revocation] }))
        .length < 100,
    );
    const facts = (chain: typeof release) => ({ chain, sessionStarts: chain.links.map(() => now - 5), issuedAt: now, provider: "corp" });
    const started = performance.now();
    for (const chain of below) assert.equal(set.revokes(facts(chain)), "session");
    assert.ok(performance.now() - started < 2_000);
    for (const chain of [root, sibling]) assert.equal(set.revokes(facts(chain)), undefined);
    assert.equal(set.size, 1);
  });
});
