import { join } from "node:path";
import {
  DecisionService,
  DelegationService,
  FeedService,
  JournalService,
  RevocationService,
  RosterService,
  TokenService,
} from "@sallyport/contracts";
import { EvidenceWriter } from "@sallyport/journal";
import { checkpointPublicKey, Gate, type Host, type Running, TrustFeed } from "@sallyport/service";
import { openConfiguredState } from "@sallyport/state";
import { AgentCertificates } from "./certificates/agent-certificates.ts";
import { Delegation } from "./delegation/delegation.ts";
import { delegationHandlers } from "./delegation/delegation-handlers.ts";
import { workloadsOf } from "./delegation/workloads.ts";
import { EpochGuardian } from "./epoch/guardian.ts";
import { LastKnown } from "./epoch/last-known.ts";
import { signingKeysChanged } from "./evidence/drafts.ts";
import { Exchange } from "./exchange/exchange.ts";
import { tokenHandlers } from "./exchange/token-handlers.ts";
import { Feed } from "./feed/feed.ts";
import { feedHandlers } from "./feed/feed-handlers.ts";
import { AddressLimit } from "./http/address-limit.ts";
import { registerOAuth } from "./http/register.ts";
import { type AuthnKeys, readAuthnKeys } from "./keys/authn-keys.ts";
import { CredentialKeyring, type KeyringOptions } from "./keys/credential-keyring.ts";
import { TransitKeyring } from "./keys/transit/transit-keyring.ts";
import { PolicyQuestion } from "./policy/policy-question.ts";
import { Forgetting } from "./revocation/forgetting.ts";
import { revocationHandlers } from "./revocation/revocation-handlers.ts";
import { RevocationLog } from "./revocation/revocation-log.ts";
import { Revocations } from "./revocation/revocations.ts";
import { CredentialIssuer } from "./sessions/credential-issuer.ts";
import { Limits } from "./sessions/limits.ts";
import { Renewal } from "./sessions/renewal.ts";
import { Roster } from "./sessions/roster.ts";
import { rosterHandlers } from "./sessions/roster-handlers.ts";
import { SealedCollection } from "./sessions/sealed-collection.ts";
import { SessionStore } from "./sessions/session-store.ts";
import { configuredProviders } from "./trust/configured-providers.ts";
import { certificatesOf, samlOf, signInOf } from "./trust/other-proofs.ts";
import { OutsideIdentities } from "./trust/outside-identities.ts";
import { registerSaml } from "./trust/saml/saml-endpoints.ts";
import { TrustProviders } from "./trust/trust-providers.ts";

/** Who is calling, and through whom. */
export async function start(host: Host): Promise<Running> {
  const { clock, config, listeners, peers } = host;
  const { audience, dataDir, trustDomain } = config;
  const folder = join(dataDir, "authn");

  const keys = readAuthnKeys(dataDir);
  const certificates = await AgentCertificates.load(keys.agentsCa.keyPem, keys.agentsCa.certificatePem, trustDomain, clock);
  const evidence = await openEvidence(host, join(folder, "journal"));
  await evidence.settleInterrupted();

  const state = await openConfiguredState(host);
  const revocationLog = new RevocationLog(state);
  const { sessionSeconds } = config.authn;
  const forgetting = new Forgetting({ state, revocations: revocationLog, clock, sessionSeconds, log: host.log });
  const onGeneration = () => {
    revocationLog.startAnew();
    forgetting.startAnew();
  };
  const guardian = await EpochGuardian.start({ state, lastKnown: new LastKnown(folder), evidence, clock, onGeneration });
  const epoch = () => guardian.current.epoch;

  const { stateSecret } = keys.signing;
  const sessions = new SessionStore(state, stateSecret, clock);
  const tickets = new SealedCollection(state, "tickets", stateSecret);
  const limits = new Limits(state, sessions, revocationLog, limitSettings(config));
  const policyClient = peers.client("pdp", DecisionService);
  const policy = new PolicyQuestion((request) => policyClient.check(request, { timeoutMs: 2_000 }));
  const { credentialSeconds, ticketSeconds } = config.authn;
  const onChange = (kids: readonly string[]) => evidence.record(signingKeysChanged(kids));
  const keyring = openKeyring(host, keys, onChange);
  const jwks = () => keyring.jwks();
  const issuer = new CredentialIssuer({ signer: () => keyring.signer(), issuer: audience, audience, credentialSeconds, certificates });
  const saml = await samlOf(config.trust.saml, { state, secret: stateSecret, clock });
  const providers = new TrustProviders(configuredProviders(config.trust.oidc), clock);
  const others = { codes: saml?.codes, certificates: await certificatesOf(config.trust.x509, () => clock.now()) };
  const front = await signInOf(config, { state, secret: stateSecret, clock, epoch, audience, tokens: providers, saml });
  const identities = new OutsideIdentities(providers, others, clock);

  const common = { sessions, revocations: revocationLog, issuer, evidence, clock, epoch };
  const exchange = new Exchange({ ...common, identities, state, limits, sessionSeconds, beforeSession: () => forgetting.declare() });
  const renewal = new Renewal(common);
  const delegation = new Delegation({
    ...common,
    tickets,
    limits,
    policy,
    ticketSeconds,
    workloads: workloadsOf(providers, state, { clock, epoch }),
  });
  const revocations = new Revocations({ ...common, log: revocationLog, policy });

  const roster = new Roster({ ...common, limits, policy });

  const feed = new Feed({ revocations: revocationLog, guardian, jwks, agentCaPem: certificates.caPem });
  listeners.peers.serve(FeedService, feedHandlers(feed), { roles: ["authn", "pdp", "broker", "audit"] });
  const trust = await TrustFeed.follow(host, "authn");
  const gate = new Gate(host, trust);
  for (const door of [listeners.agents, listeners.agentsMtls, listeners.edge]) {
    door.serve(TokenService, tokenHandlers(gate, exchange, renewal, evidence));
    door.serve(DelegationService, delegationHandlers(gate, delegation, evidence));
    door.serve(RosterService, rosterHandlers(gate, roster, evidence));
    door.serve(RevocationService, revocationHandlers(gate, revocations, evidence));
  }
  registerOAuth(listeners.edge, {
    gate,
    feed: trust,
    exchange,
    renewal,
    revocations,
    revocationLog,
    evidence,
    audience,
    jwks,
    clock,
    front,
  });
  const limit = new AddressLimit(config.authn.samlPerMinute, () => clock.monotonic());
  registerSaml(listeners.edge, saml?.signIns ?? [], { evidence, audience, limit });

  return {
    name: "authn",
    ready: () => {
      const lease = trust.lease();
      if (evidence.failure !== undefined) return { ok: false, why: evidence.failure.message };
      return lease.held ? { ok: true } : { ok: false, why: lease.why };
    },
    stop: async () => {
      await trust.stop();
      forgetting.stop();
      keyring.stop();
      guardian.stop();
      await evidence.stop();
      await state.close();
    },
  };
}

/** The key file holds what seals authn's records in the state, wherever the key that signs is. */
function openKeyring({ clock, config, log }: Host, { signing, signingFile }: AuthnKeys, onChange: KeyringOptions["onChange"]) {
  const { signingKey } = config.authn;
  if (signingKey !== undefined) return new TransitKeyring(signingKey.openbao, { clock, onChange, log });
  return new CredentialKeyring(signing, signingFile.text, { file: signingFile.path, clock, onChange, log });
}

const openEvidence = ({ clock, config, log, peers, telemetry, version }: Host, dir: string) =>
  EvidenceWriter.open({
    dir,
    service: "authn",
    version,
    clock,
    mode: config.evidence.mode,
    client: peers.client("audit", JournalService),
    maxBytes: config.evidence.journalMaxBytes,
    checkpointKey: checkpointPublicKey(config.dataDir),
    log,
    meter: telemetry.meter,
  });

const limitSettings = ({ authn }: Host["config"]) => ({
  maxDepth: authn.maxDepth,
  maxAgents: authn.maxChildren,
  delegationsPerMinute: authn.ticketsPerMinute,
  signInsPerMinute: authn.ticketsPerMinute,
});
