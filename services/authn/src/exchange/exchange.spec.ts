import assert from "node:assert/strict";
import { Action, LinkKind } from "@sallyport/contracts";
import type { State } from "@sallyport/state";
import { type AuthnChanges, AuthnCore, ceiling, idToken, links, mayDelegate, newHolder, refuses } from "../authn.fixture.ts";
import { bindToken } from "../trust/token-binding.ts";
import type { OutsideIdentity } from "../trust/trust-provider.ts";

describe("exchanging an outside token", () => {
  let core: AuthnCore;
  const open = async (changes?: AuthnChanges) => {
    core = await AuthnCore.open(changes);
  };
  beforeEach(() => open());
  afterEach(() => core.close());

  it("makes a person's token a credential for the key that proved the call, with their groups", async () => {
    const { credential, holder } = await core.signIn();
    assert.deepEqual(links(credential), ["corp/alice"]);
    assert.deepEqual(credential.chain.groups, ["corp/release-team"]);
    assert.deepEqual(credential.binding, { kind: "dpop", thumbprint: holder.thumbprint });
    assert.ok(credential.expiresAt - credential.issuedAt <= 600);
  });

  it("gives a person who names no ceiling what policy permits", async () => {
    const { credential } = await core.signIn();
    assert.deepEqual(credential.ceiling.entries[0]?.secrets, ["*"]);
  });

  it("makes an agent a link of its own below its principal", async () => {
    const { credential } = await core.signIn({ agentName: "release", ceiling: mayDelegate });
    assert.deepEqual(links(credential), ["corp/alice", "corp/alice#release"]);
    assert.notEqual(credential.chain.links[0].sid, credential.sid);
  });

  it("refuses an agent that names no ceiling", () => refuses("INVALID_REQUEST", core.signIn({ agentName: "release" }), /ceiling/));

  it("refuses a service that names no ceiling", async () => {
    await core.close();
    await open({ provider: { kind: "service" } });
    await refuses("INVALID_REQUEST", core.signIn(), /ceiling/);
    assert.equal((await core.signIn({ ceiling: mayDelegate })).credential.chain.links[0].kind, "service");
  });

  it("keeps the owner that a workload's token names", async () => {
    await core.close();
    await open({ provider: { kind: "pipeline", claims: { subject: "sub", owner: "actor" } } });
    const { credential } = await core.signIn({ subjectToken: await core.issuer.token({ actor: "bob" }), ceiling: mayDelegate });
    assert.equal(credential.chain.links[0].owner, "corp/bob");
  });

  it("lets the key that first showed a token show it again, and no other key", async () => {
    const subjectToken = await core.issuer.token({ jti: "one" });
    const { holder } = await core.signIn({ subjectToken });
    await core.signIn({ subjectToken }, holder);
    await refuses("UNAUTHENTICATED", core.signIn({ subjectToken }), /another key/);
  });

  it("binds a token without a jti just as well", async () => {
    const subjectToken = await core.issuer.token();
    await core.signIn({ subjectToken });
    await refuses("UNAUTHENTICATED", core.signIn({ subjectToken }), /another key/);
  });

  it("takes a single-use issuer's token once, even when shown twice at the same time", async () => {
    await core.close();
    await open({ provider: { singleUse: true } });
    const subjectToken = await core.issuer.token({ jti: "once", iat: nextSecond() });
    const holder = newHolder();
    const attempts = await Promise.allSettled([1, 2, 3].map(() => core.signIn({ subjectToken }, holder)));
    assert.equal(attempts.filter(({ status }) => status === "fulfilled").length, 1);
  });

  it("is on record before it is answered, and not answered where it cannot be", async () => {
    await core.signIn();
    assert.deepEqual(core.evidence.events.at(-1), "session.start success");
    core.evidence.full = true;
    await refuses("AUDIT_UNAVAILABLE", core.signIn());
  });

  it("limits how often one principal signs in", async () => {
    await core.close();
    await open({ limits: { signInsPerMinute: 2 } });
    await core.signIn();
    await core.signIn();
    const refusal = await refuses("RATE_LIMITED", core.signIn());
    assert.ok((refusal.retryAfterMs ?? 0) > 0);
    await core.signIn({ subjectToken: await core.issuer.token({ sub: "bob" }) });
  });

  it("gives an agent a place for no longer than its session may last", async () => {
    await core.close();
    await open({ limits: { maxAgents: 1 } });
    const verify = core.providers.verify.bind(core.providers);
    core.providers.verify = async (...shown) => ({ ...(await verify(...shown)), sessionEnds: core.clock.now() + 60_000 });
    const agent = (agentName: string) => core.signIn({ agentName, ceiling: mayDelegate });
    await agent("release");
    await refuses("RATE_LIMITED", agent("other"), /1 live agents/);
    core.clock.pass(61_000);
    await agent("other");
  });

  describe("TOKN-03: what is absent never widens", () => {
    it("an empty subject token is refused", () =>
      refuses("INVALID_REQUEST", core.exchange.exchange({ ...order, subjectToken: "" }, newHolder(), { address: "" })));

    it("an unknown or empty token type is refused", async () => {
      for (const subjectTokenType of ["", "urn:ietf:params:oauth:token-type:access_token", "jwt"]) {
        await refuses("INVALID_REQUEST", core.signIn({ subjectTokenType }));
      }
    });

    it("the benign twin: a ceiling that is named is the one that is given, no more", async () => {
      const wanted = ceiling([Action.READ], ["prod/orders/api"], ["orders-api"]);
      const { credential } = await core.signIn({ ceiling: wanted });
      assert.deepEqual(credential.ceiling, wanted);
    });
  });

  it("issues an mTLS-bound credential with a short-lived certificate for the same key", async () => {
    const holder = newHolder();
    const order = {
      subjectToken: await core.issuer.token(),
      subjectTokenType: idToken,
      agentName: undefined,
      ceiling: undefined,
      binding: "mtls" as const,
    };
    const issued = await core.exchange.exchange(order, holder, { address: "" });
    assert.equal(core.read(issued.token).credential.binding.kind, "mtls");
    assert.match(issued.certificateChainPem ?? "", /BEGIN CERTIFICATE/);
    assert.equal(issued.chain?.links?.[0]?.kind, LinkKind.PERSON);
  });

  it("takes no token for single use that is older than the state: whether it was used is lost with a state that comes back empty", async () => {
    const core = await AuthnCore.open({ provider: { singleUse: true } });
    try {
      const used = await core.issuer.token({ jti: "used-before", iat: Math.floor(Date.now() / 1000) - 5 });
      const stateBegan = core.guardian.current.epoch;
      await refuses("UNAUTHENTICATED", core.signIn({ subjectToken: used }), /older than Sallyport's state/);
      assert.ok(stateBegan > 0);
      const sameSecond = await core.issuer.token({ jti: "same-second", iat: Math.floor(stateBegan / 1000) });
      await refuses("UNAUTHENTICATED", core.signIn({ subjectToken: sameSecond }), /older than Sallyport's state/);
      await core.signIn({ subjectToken: await core.issuer.token({ jti: "fresh", iat: nextSecond() }) });
    } finally {
      await core.close();
    }
  });

  it("takes no token for single use before its time has come, as it would seem younger than a state that is lost meanwhile", async () => {
    const core = await AuthnCore.open({ provider: { singleUse: true } });
    try {
      const ahead = await core.issuer.token({ jti: "ahead", iat: Math.floor(Date.now() / 1000) + 30 });
      await refuses("UNAUTHENTICATED", core.signIn({ subjectToken: ahead }), /clock/);
      const iat = nextSecond();
      await core.signIn({ subjectToken: await core.issuer.token({ jti: "a-little-ahead", iat }) });
      assert.ok(core.clock.now() >= iat * 1000);
    } finally {
      await core.close();
    }
  });

  it("does not take a token that was bound in a state which began at that moment", async () => {
    let epoch = 1_000;
    const identity = { provider: { singleUse: true, skewSeconds: 60 }, tokenId: "t", issuedAt: 2, expiresAt: 300 } as OutsideIdentity;
    const bind = (during: () => void) => {
      const create = async () => {
        during();
        return true;
      };
      return bindToken({ create } as unknown as State, identity, "thumbprint", { clock: { now: () => 3_000 }, epoch: () => epoch });
    };
    await bind(() => undefined);
    await refuses(
      "STATE_UNAVAILABLE",
      bind(() => {
        epoch = 2_500;
      }),
    );
  });
});

const order = { subjectToken: "", subjectTokenType: idToken, agentName: undefined, ceiling: undefined, binding: "dpop" as const };

/** The second after this one: surely younger than a state that has begun. */
const nextSecond = () => Math.floor(Date.now() / 1000) + 1;
