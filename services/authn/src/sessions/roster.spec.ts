import assert from "node:assert/strict";
import { Action, Decision } from "@sallyport/contracts";
import { type Actor, AuthnCore, answer, ceiling, links, mayDelegate, newHolder, nowhere, refuses } from "../authn.fixture.ts";

describe("the roster of live agents", () => {
  let core: AuthnCore;
  let alice: Actor;
  let release: Actor;
  let deploy: Actor;
  let other: Actor;
  beforeEach(async () => {
    core = await AuthnCore.open({
      check: async ({ context, action }) =>
        answer(action === Action.REVOKE && context.principal !== "corp/alice" ? Decision.DENY : Decision.ALLOW),
    });
    alice = await core.signIn();
    release = await core.signIn({ agentName: "release", ceiling: mayDelegate });
    deploy = await core.delegate(release, "deploy");
    other = await core.delegate(release, "other");
  });
  afterEach(() => core.close());

  const readerOf = ({ credential }: Actor) => credential;
  const seenBy = async (actor: Actor, principal = "") => {
    const { sessions } = await core.roster.page({ principal, pageSize: 0, after: "" }, readerOf(actor));
    return sessions.map(({ chain }) => chain.links.at(-1)?.id).sort();
  };

  it("shows a person all of their agents, and an agent itself and its subtree", async () => {
    assert.deepEqual(
      await seenBy(alice),
      links(other.credential).slice(1, 2).concat(links(deploy.credential).slice(2), links(other.credential).slice(2)).sort(),
    );
    assert.deepEqual(await seenBy(deploy), ["corp/alice#release/deploy"]);
    assert.equal((await seenBy(release)).length, 3);
  });

  it("shows who waits for its ticket to be redeemed, with the key that can", async () => {
    const holder = newHolder();
    await core.ticket(deploy, "waiting", mayDelegate, holder);
    const { sessions } = await core.roster.page({ principal: "", pageSize: 0, after: "" }, readerOf(deploy));
    const waiting = sessions.find(({ chain }) => chain.links.at(-1)?.id.endsWith("/waiting"));
    assert.deepEqual(waiting?.holder, { kind: "awaited", thumbprint: holder.thumbprint });
  });

  it("shows nobody who was ended, or whose life is over", async () => {
    await core.revocations.revoke({ subject: { case: "sessionId", value: deploy.sid }, reason: "" }, release.credential, nowhere);
    assert.deepEqual(await seenBy(alice), ["corp/alice#release", "corp/alice#release/other"]);
    core.clock.pass(3601_000);
    assert.deepEqual(await seenBy(alice), []);
  });

  it("goes page by page, each agent once", async () => {
    const seen: (string | undefined)[] = [];
    for (let after: string | undefined = ""; after !== undefined; ) {
      const page: Awaited<ReturnType<typeof core.roster.page>> = await core.roster.page(
        { principal: "", pageSize: 1, after },
        readerOf(alice),
      );
      assert.ok(page.sessions.length <= 1);
      seen.push(...page.sessions.map(({ sid }) => sid));
      after = page.next;
    }
    assert.deepEqual(seen.sort(), [release.sid, deploy.sid, other.sid].sort());
    await refuses("INVALID_REQUEST", core.roster.page({ principal: "", pageSize: 201, after: "" }, readerOf(alice)));
  });

  it("of another principal is for whom policy allows to end it, within their ceiling", async () => {
    const bob = await core.signIn({ subjectToken: await core.issuer.token({ sub: "bob", jti: crypto.randomUUID() }) });
    assert.equal((await seenBy(bob, "corp/alice")).length, 3);
    assert.deepEqual(await seenBy(bob), []);
    await refuses("DENIED_BY_POLICY", core.roster.page({ principal: "corp/carol", pageSize: 0, after: "" }, readerOf(bob)));
    const agent = await core.signIn({
      subjectToken: await core.issuer.token({ sub: "bob", jti: crypto.randomUUID() }),
      agentName: "helper",
      ceiling: ceiling([Action.USE]),
    });
    await refuses("DENIED_BY_POLICY", core.roster.page({ principal: "corp/alice", pageSize: 0, after: "" }, readerOf(agent)), /ceiling/);
  });
});
