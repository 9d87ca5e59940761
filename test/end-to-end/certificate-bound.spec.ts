import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { BrokerService, TokenService } from "@sallyport/contracts";
import { Action, Agent, openChannel, ProofMaker, Session } from "@sallyport/sdk";
import { agentsCa } from "../../services/authn/src/authn.fixture.ts";
import { AgentCertificates } from "../../services/authn/src/certificates/agent-certificates.ts";
import { embeddedSite, orders, type Site } from "../faults/site.ts";
import { read, refusalOf } from "../faults/told.ts";

const lifeSeconds = 6;

describe("a credential that is bound to a client certificate", () => {
  let site: Site;
  let agent: Agent;
  before(async function () {
    this.timeout(120_000);
    site = await embeddedSite({
      configure: (config) => {
        config.authn = { credentialSeconds: lifeSeconds };
      },
    });
    agent = await site.agent("release", orders, { binding: "mtls" });
  });
  after(() => site?.stop());

  /** What whoever has a connection of their own, and somebody's token, can do at the listener for certificates. */
  const listWith = async (token: string, identity?: { key: string; certificate: string }) => {
    const channel = openChannel(site.endpoints.mtls?.broker ?? "", site.endpoints.ca, undefined, identity);
    try {
      return await channel.client(BrokerService).list({}, { headers: { authorization: `Bearer ${token}` }, timeoutMs: 5_000 });
    } finally {
      channel.close();
    }
  };
  const identityOf = ({ session }: Agent) => ({
    key: session.proofs.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificate: session.credential.certificateChainPem,
  });

  it("is used at the broker with that certificate, and without a proof for each call", async () => {
    assert.equal(agent.session.binding, "mtls");
    assert.equal(await read(agent, "/v1/echo/raw"), "your token is [sallyport:prod/orders/read#token], thank you");
    assert.deepEqual(await agent.list(), ["prod/orders/api", "prod/orders/read"]);
    assert.equal((await agent.describe("prod/orders/read")).name, "prod/orders/read");
    assert.equal((await listWith(agent.session.credential.token, identityOf(agent))).secrets.length, 2);
  });

  it("uploads a large body, whose stream has no proof either", async () => {
    const refused = await refusalOf(() =>
      agent.use({ target: "orders-read", method: "POST", path: "/v1/orders", body: randomBytes(2 * 1024 * 1024) }),
    );
    assert.equal(refused.reason, "DESTINATION_NOT_ALLOWED");
  });

  it("is refused when it is stolen, and shown without its certificate", async () => {
    const { token } = agent.session.credential;
    assert.equal((await refusalOf(() => listWith(token))).reason, "TARGET_UNAVAILABLE");
    const thief = new Session(site.endpoints, ProofMaker.generate(), agent.session.credential);
    const plain = openChannel(site.endpoints.broker, site.endpoints.ca);
    try {
      for (const call of [() => thief.broker.list({}), () => thief.tokens.whoAmI({})]) {
        assert.equal((await refusalOf(call)).reason, "PROOF_INVALID");
      }
      assert.equal((await refusalOf(() => thief.tokens.renew({}))).reason, "PROOF_INVALID");
      const bare = () => plain.client(TokenService).whoAmI({}, { headers: { authorization: `Bearer ${token}` } });
      assert.equal((await refusalOf(bare)).reason, "UNAUTHENTICATED");
    } finally {
      thief.close();
      plain.close();
    }
  });

  it("is refused with the certificate of another agent, and that agent's own is taken", async () => {
    const other = await site.agent("other", orders, { binding: "mtls" });
    const refused = await refusalOf(() => listWith(agent.session.credential.token, identityOf(other)));
    assert.equal(refused.reason, "PROOF_INVALID");
    assert.match(refused.message, /another client certificate/);
    assert.equal((await listWith(other.session.credential.token, identityOf(other))).secrets.length, 2);
  });

  it("is refused with a certificate of another authority for its own key", async () => {
    const { keyPem, certificatePem } = await agentsCa();
    const foreign = await AgentCertificates.load(keyPem, certificatePem, "demo.internal", { now: Date.now });
    const { proofs, sessionId } = agent.session;
    const { chainPem } = await foreign.issue(proofs.publicJwk, sessionId, Math.floor(Date.now() / 1000) + 600);
    const identity = { ...identityOf(agent), certificate: chainPem };
    assert.equal((await refusalOf(() => listWith(agent.session.credential.token, identity))).reason, "TARGET_UNAVAILABLE");
  });

  it("cannot be had without the addresses of the listeners for certificates", async () => {
    const { mtls: _, ...endpoints } = site.endpoints;
    assert.throws(() => new Session(endpoints, undefined, undefined, "mtls"), { reason: "INVALID_REQUEST" });
  });

  it("is what a child may have too, whatever its parent has, from the handover alone", async () => {
    const parent = await site.agent("parent");
    const key = ProofMaker.generate("EdDSA");
    const ceiling = { entries: [{ actions: [Action.LIST, Action.USE], secrets: ["prod/orders/read"], targets: ["orders-read"] }] };
    const { handover } = await parent.delegate({ name: "child", ceiling, thumbprint: key.thumbprint });
    const child = await Agent.fromTicket(handover, key, { binding: "mtls" });
    try {
      assert.deepEqual(await child.list(), ["prod/orders/read"]);
      // Narrowed above, it renews by itself, before a call and before a stream, inside what is left.
      const left = [Action.LIST, Action.USE, Action.DELEGATE];
      for (const [call, secrets] of [
        [() => child.list(), ["prod/orders/read", "prod/orders/api"]],
        [() => read(child, "/v1/orders/1"), ["prod/orders/read"]],
      ] as const) {
        const { token } = child.session.credential;
        await parent.session.narrow({ entries: [{ actions: left, secrets: [...secrets], targets: ["*"] }] });
        await sleep(300);
        await call();
        assert.notEqual(child.session.credential.token, token);
      }
      await parent.revoke(child.sessionId);
      await sleep(1_000);
      assert.equal((await refusalOf(() => child.list())).reason, "CREDENTIAL_REVOKED");
    } finally {
      child.close();
    }
  });

  it("is renewed in time with its certificate, while calls go on, and a stream that was begun with the old one", async function () {
    this.timeout(30_000);
    const certificates = new Set<string>();
    const tokens = new Set<string>();
    const gone = new AbortController();
    const ledger = await agent.use({ target: "orders-read", path: "/v1/ledger", signal: gone.signal });
    let lastPieceAt = 0;
    const reading = (async () => {
      for await (const _ of ledger.body) lastPieceAt = Date.now();
    })();
    const ended = refusalOf(() => reading);
    for (const until = Date.now() + (lifeSeconds + 3) * 1000; Date.now() < until; ) {
      await Promise.all([agent.list(), read(agent, "/v1/orders/1")]);
      certificates.add(agent.session.credential.certificateChainPem);
      tokens.add(agent.session.credential.token);
      await sleep(100);
    }
    assert.ok(Date.now() - lastPieceAt < 1_000, "the stream stood still");
    gone.abort();
    assert.equal((await ended).reason, "CANCELLED");
    assert.ok(tokens.size >= 2, `${tokens.size} credentials`);
    assert.equal(certificates.size, tokens.size);
  });

  it("is had again, by the key, after it and its certificate have ended, and so is one that is bound to the key", async function () {
    this.timeout(30_000);
    const idle = await site.agent("idle", orders, { binding: "mtls" });
    const person = await site.person("bob", ["release-approvers"]);
    const personBefore = person.session.credential.token;
    const before = idle.session.credential.token;
    const { certificate, key } = identityOf(idle);
    await sleep((lifeSeconds + 1) * 1000);
    assert.equal((await refusalOf(async () => listWith(before, { certificate, key }))).reason, "TARGET_UNAVAILABLE");
    assert.equal((await idle.list()).length, 2);
    assert.notEqual(idle.session.credential.token, before);
    assert.deepEqual(await person.reviews(), []);
    assert.notEqual(person.session.credential.token, personBefore);
  });
});
