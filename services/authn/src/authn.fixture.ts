import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { Action, Decision, type Reason, Refusal } from "@sallyport/contracts";
import type { Draft } from "@sallyport/evidence";
import {
  type Ceiling,
  type Credential,
  CredentialKeys,
  ceilingOf,
  chainToWire,
  ProofMaker,
  type PublicJwk,
  verifyCredential,
} from "@sallyport/identity";
import { openState, type State } from "@sallyport/state";
import { AgentCertificates } from "./certificates/agent-certificates.ts";
import { Delegation } from "./delegation/delegation.ts";
import { workloadsOf } from "./delegation/workloads.ts";
import { EpochGuardian } from "./epoch/guardian.ts";
import { LastKnown } from "./epoch/last-known.ts";
import type { Evidence } from "./evidence/evidence.ts";
import { Exchange, type ExchangeOrder } from "./exchange/exchange.ts";
import { Feed, type FeedSources } from "./feed/feed.ts";
import { type Check, PolicyQuestion } from "./policy/policy-question.ts";
import { Forgetting } from "./revocation/forgetting.ts";
import { RevocationLog } from "./revocation/revocation-log.ts";
import { Revocations } from "./revocation/revocations.ts";
import { CredentialIssuer } from "./sessions/credential-issuer.ts";
import { type LimitSettings, Limits } from "./sessions/limits.ts";
import { Renewal } from "./sessions/renewal.ts";
import { Roster } from "./sessions/roster.ts";
import { SealedCollection } from "./sessions/sealed-collection.ts";
import { SessionStore } from "./sessions/session-store.ts";
import { issuerFetch } from "./trust/fetch-json.ts";
import { LoopbackIssuer } from "./trust/loopback-issuer.fixture.ts";
import { OutsideIdentities } from "./trust/outside-identities.ts";
import type { TrustProvider } from "./trust/trust-provider.ts";
import { TrustProviders } from "./trust/trust-providers.ts";

export const audience = "https://example.internal";
export const nowhere = { address: "127.0.0.1:1" };
export const idToken = "urn:ietf:params:oauth:token-type:id_token";

/** The machine's clocks, set forward by a spec. */
export class ShiftedClock {
  #by = 0;
  now = () => Date.now() + this.#by;
  monotonic = () => performance.now() + this.#by;
  pass(ms: number): void {
    this.#by += ms;
  }
}

/** Evidence in memory; full when a spec says so. */
export class EvidenceInMemory implements Evidence {
  readonly drafts: Draft[] = [];
  full = false;

  async record(draft: Draft): Promise<string> {
    if (this.full) throw new Refusal("AUDIT_UNAVAILABLE", "The journal is full.");
    this.drafts.push(draft);
    return String(this.drafts.length);
  }

  async intent(draft: Draft) {
    const uid = await this.record(draft);
    return { uid, outcome: (outcome: Draft) => this.record(outcome) };
  }

  async refusal(draft: Draft): Promise<string> {
    this.drafts.push(draft);
    return "";
  }

  get events(): string[] {
    return this.drafts.map(({ facts }) => `${facts.event} ${facts.status ?? "intent"}`);
  }
}

export const ceiling = (actions: Action[], secrets: string[] = ["prod/*"], targets: string[] = ["*"]): Ceiling =>
  ceilingOf([{ actions, secrets, targets }]);

/** What a release agent usually has. */
export const mayDelegate = ceiling([Action.USE, Action.READ, Action.DELEGATE]);

export interface Holder {
  readonly maker: ProofMaker;
  readonly thumbprint: string;
  readonly publicJwk: PublicJwk;
}

export function newHolder(algorithm: "ES256" | "EdDSA" = "ES256"): Holder {
  const maker = ProofMaker.generate(algorithm);
  return { maker, thumbprint: maker.thumbprint, publicJwk: maker.publicJwk };
}

export interface AuthnChanges {
  provider?: Partial<TrustProvider>;
  limits?: Partial<LimitSettings>;
  check?: Check;
  sessionSeconds?: number;
}

/** All of authn's core on a real SQLite state and a real issuer on loopback; no sockets of its own. */
export class AuthnCore {
  readonly dataDir = mkdtempSync(join(tmpdir(), "sallyport-authn-"));
  readonly clock = new ShiftedClock();
  readonly evidence = new EvidenceInMemory();
  issuer!: LoopbackIssuer;
  state!: State;
  guardian!: EpochGuardian;
  providers!: TrustProviders;
  log!: RevocationLog;
  sessions!: SessionStore;
  exchange!: Exchange;
  renewal!: Renewal;
  delegation!: Delegation;
  revocations!: Revocations;
  roster!: Roster;
  forgetting!: Forgetting;
  feed!: Feed;
  feedSources!: FeedSources;
  keys!: CredentialKeys;
  readonly asked: { action: Action; chain: string[] }[] = [];
  /** The facts of each question to policy, in order. */
  readonly facts: Record<string, string | string[]>[] = [];

  static async open(changes: AuthnChanges = {}): Promise<AuthnCore> {
    const core = new AuthnCore();
    await core.#open(changes);
    return core;
  }

  async #open({ provider = {}, limits: limitChanges = {}, check = allowAll, sessionSeconds = 3600 }: AuthnChanges): Promise<void> {
    const { clock, evidence, dataDir } = this;
    this.issuer = await LoopbackIssuer.open();
    this.state = await openState("sqlite", { dataDir, clock });
    const state = this.state;
    this.log = new RevocationLog(state);
    const revocations = this.log;
    this.guardian = await EpochGuardian.start({
      state,
      lastKnown: new LastKnown(join(dataDir, "authn")),
      evidence,
      clock,
      onGeneration: () => {
        this.log.startAnew();
        this.forgetting?.startAnew();
      },
    });
    this.forgetting = new Forgetting({ state, revocations, clock, sessionSeconds, log: { info: () => undefined, warn: () => undefined } });
    const trusted: TrustProvider = {
      name: "corp",
      issuer: this.issuer.url,
      audiences: ["sallyport"],
      algorithms: ["ES256"],
      kind: "person",
      claims: { subject: "sub", groups: "groups", owner: undefined },
      singleUse: false,
      skewSeconds: 60,
      ...provider,
    };
    this.providers = new TrustProviders([{ provider: trusted, fetchJson: issuerFetch("corp", ["127.0.0.0/8"]) }], clock);
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "credential-1" }] });
    this.keys = CredentialKeys.parse(jwks);
    const secret = Buffer.alloc(32, 7);
    this.sessions = new SessionStore(state, secret, clock);
    const sessions = this.sessions;
    const settings = { maxDepth: 8, maxAgents: 100, delegationsPerMinute: 100, signInsPerMinute: 100, ...limitChanges };
    const limits = new Limits(state, sessions, revocations, settings);
    const policy = new PolicyQuestion((request) => {
      this.asked.push({ action: request.action, chain: request.chain.links.map(({ id }) => id) });
      this.facts.push(request.context);
      return check(request);
    });
    const ca = await agentsCa();
    const certificates = await AgentCertificates.load(ca.keyPem, ca.certificatePem, "example.internal", clock);
    const signer = () => ({ key: privateKey, kid: "credential-1" });
    const issuer = new CredentialIssuer({ signer, issuer: audience, audience, credentialSeconds: 600, certificates });
    const epoch = () => this.guardian.current.epoch;
    const common = { sessions, revocations, issuer, evidence, clock, epoch };
    const identities = new OutsideIdentities(this.providers, {}, clock);
    this.exchange = new Exchange({
      ...common,
      identities,
      state,
      limits,
      sessionSeconds,
      beforeSession: () => this.forgetting.declare(),
    });
    this.renewal = new Renewal(common);
    this.delegation = new Delegation({
      ...common,
      tickets: new SealedCollection(state, "tickets", secret),
      limits,
      policy,
      ticketSeconds: 60,
      workloads: workloadsOf(this.providers, state, { clock, epoch }),
    });
    this.revocations = new Revocations({ ...common, log: revocations, policy });
    this.roster = new Roster({ ...common, limits, policy });
    this.feedSources = { revocations, guardian: this.guardian, jwks: () => jwks, agentCaPem: certificates.caPem };
    this.feed = new Feed(this.feedSources, 4);
  }

  /** Alice herself, or an agent that signs in for her. */
  async signIn(order: Partial<ExchangeOrder> = {}, holder = newHolder()): Promise<Actor> {
    const subjectToken = order.subjectToken ?? (await this.issuer.token({ jti: crypto.randomUUID() }));
    const whole = { subjectTokenType: idToken, agentName: undefined, ceiling: undefined, binding: "dpop" as const, ...order, subjectToken };
    const issued = await this.exchange.exchange(whole, holder, nowhere);
    return { holder, sid: issued.sessionId, token: issued.token, ...this.read(issued.token) };
  }

  /** A child of an actor, enrolled by its own key. */
  async delegate(
    parent: Pick<Actor, "credential">,
    agentName: string,
    within: Ceiling = mayDelegate,
    holder = newHolder(),
  ): Promise<Actor> {
    const { ticket } = await this.ticket(parent, agentName, within, holder);
    return this.redeem(ticket, holder);
  }

  /** @param child whose key the ticket is for; undefined for one that names none */
  ticket(parent: Pick<Actor, "credential">, agentName: string, within: Ceiling, child?: Pick<Holder, "thumbprint">, ttlSeconds = 0) {
    const order = { childKey: child?.thumbprint, agentName, ceiling: within, ttlSeconds };
    return this.delegation.issueTicket(order, parent.credential.chain, nowhere);
  }

  async redeem(ticket: string, holder: Holder, binding: "dpop" | "mtls" = "dpop", workloadToken?: string): Promise<Actor> {
    const workload = workloadToken === undefined ? undefined : { token: workloadToken, type: idToken };
    const issued = await this.delegation.redeem({ ticket, workload }, binding, holder, nowhere);
    return { holder, sid: issued.sessionId, token: issued.token, ...this.read(issued.token) };
  }

  async renew(actor: Pick<Actor, "sid" | "holder">, narrower?: Ceiling): Promise<Credential> {
    return this.read((await this.renewal.renew(actor.sid, narrower, actor.holder.thumbprint, nowhere)).token).credential;
  }

  /** Whether a credential would be accepted by a replica that has read all revocations. */
  async isLive(token: string): Promise<boolean> {
    await this.log.readToEnd();
    const { credential } = this.read(token);
    return this.log.set.revokes(credential) === undefined && credential.epoch === this.guardian.current.epoch;
  }

  read(token: string): { credential: Credential } {
    const verification = verifyCredential(token, { keys: this.keys, issuer: audience, audience, now: this.clock.now() });
    assert.equal(verification.kind, "verified");
    return { credential: (verification as Extract<typeof verification, { kind: "verified" }>).credential };
  }

  async close(): Promise<void> {
    this.guardian.stop();
    this.forgetting.stop();
    await this.state.close();
    await this.issuer.close();
    rmSync(this.dataDir, { recursive: true });
  }
}

export interface Actor {
  readonly holder: Holder;
  readonly sid: string;
  readonly token: string;
  readonly credential: Credential;
}

export const answer = (decision: Decision, reason = "ALLOWED", sentence = "Allowed.") => ({
  decision,
  reason,
  sentence,
  determiningPolicies: ["delegate-all"],
  policyVersion: "v1",
  obligations: [],
});

const allowAll: Check = async () => answer(Decision.ALLOW);

export const links = (credential: Credential): string[] => chainToWire(credential.chain).links.map(({ id }) => id);

/** Fails unless the promise is refused for this reason, with a sentence that matches. */
export async function refuses(reason: Reason, promise: Promise<unknown>, sentence = /./): Promise<Refusal> {
  const error = await promise.then(
    () => assert.fail(`expected ${reason}, got an answer`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Refusal, `expected ${reason}, got ${String(error)}`);
  assert.equal(error.reason, reason, error.message);
  assert.match(error.message, sentence);
  return error;
}

export async function agentsCa(): Promise<{ keyPem: string; certificatePem: string }> {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: "CN=agents of example.internal",
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return { keyPem: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`, certificatePem: certificate.toString("pem") };
}
