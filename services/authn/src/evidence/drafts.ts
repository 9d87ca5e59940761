import type { Refusal } from "@sallyport/contracts";
import { authentication, type Draft, entityManagement, type Facts } from "@sallyport/evidence";
import { actionName, actorOf, type Ceiling, type Chain } from "@sallyport/identity";
import type { ProvenPerson } from "../trust/kept-identity.ts";
import type { VerifiedResponse } from "../trust/saml/verify-response.ts";
import type { OutsideIdentity, Protocol } from "../trust/trust-provider.ts";
import type { Origin } from "./evidence.ts";

/** A ceiling in records: `use,read prod/* orders-api`, one line an entry. */
export const ceilingLines = (ceiling: Ceiling): string[] =>
  ceiling.entries.map(({ actions, secrets, targets }) => `${actions.map(actionName).join(",")} ${secrets.join(",")} ${targets.join(",")}`);

const from = ({ address, thumbprint, traceparent }: Origin): Pick<Facts, "peer" | "traceparent"> => ({
  peer: { address, thumbprint },
  traceparent,
});

/** An outside identity became a session. */
export const signedIn = (chain: Chain, { provider, tokenId }: OutsideIdentity, ceiling: Ceiling, origin: Origin): Draft =>
  authentication("logon", {
    event: "session.start",
    status: "success",
    chain,
    provider: provider.name,
    protocol: provider.protocol ?? "OIDC",
    ...from(origin),
    details: { token_id: tokenId, ceiling: ceilingLines(ceiling) },
  });

/** A SAML response proved somebody, who was given a code to begin a session with. */
export const samlAccepted = (provider: string, { principal, groups, assertionId }: VerifiedResponse, origin: Origin): Draft =>
  authentication("logon", {
    event: "session.saml",
    status: "success",
    provider,
    protocol: "SAML",
    ...from(origin),
    details: { principal, groups: [...groups], assertion_id: assertionId },
  });

/** Somebody signed in at authn's own page, for a device code or whatever asked. */
export const signInAccepted = ({ provider, principal, groups }: ProvenPerson, way: string, origin: Origin): Draft =>
  authentication("logon", {
    event: "session.sign-in",
    status: "success",
    provider: provider.name,
    protocol: provider.protocol ?? "OIDC",
    ...from(origin),
    details: { principal, groups: [...groups], way },
  });

/** A session got its next credential. */
export const renewed = (chain: Chain, ceiling: Ceiling, narrowed: boolean, origin: Origin): Draft =>
  authentication("renew", {
    event: narrowed ? "session.narrow" : "session.renew",
    status: "success",
    chain,
    ...from(origin),
    details: { ceiling: ceilingLines(ceiling) },
  });

/** A parent was given a ticket for a child that does not exist yet. @param thumbprint undefined where it names no key */
export const ticketIssued = (
  child: Chain,
  parent: Chain,
  ceiling: Ceiling,
  thumbprint: string | undefined,
  policies: Facts["policies"],
  origin: Origin,
): Draft =>
  entityManagement("create", {
    event: "agent.delegate",
    status: "success",
    action: "delegate",
    chain: parent,
    ...from(origin),
    entity: { type: "agent", uid: actorOf(child).sid, name: actorOf(child).id },
    policies,
    details: { child_thumbprint: thumbprint ?? "any", ceiling: ceilingLines(ceiling) },
  });

/** A child redeemed its ticket. @param workloads the workload identities that it has shown */
export const redeemed = (chain: Chain, again: boolean, workloads: readonly string[], origin: Origin): Draft =>
  authentication("logon", {
    event: again ? "agent.enrol-again" : "agent.enrol",
    status: "success",
    protocol: "ticket",
    chain,
    ...from(origin),
    details: workloads.length === 0 ? {} : { workloads: [...workloads] },
  });

/** A second key showed a ticket that names none: somebody has taken it, and its child is ended. */
export const ticketTaken = (
  child: Chain,
  firstThumbprint: string,
  origin: Origin,
  outcome: Pick<Facts, "status" | "reason" | "sentence"> = {},
): Draft =>
  entityManagement("deactivate", {
    event: "agent.ticket-taken",
    action: "revoke",
    chain: child,
    ...from(origin),
    entity: { type: "agent", uid: actorOf(child).sid, name: actorOf(child).id },
    ...outcome,
    details: { first_thumbprint: firstThumbprint },
  });

/** An authorization code was shown a second time, so the session that came of it ends. */
export const codeReused = (
  sid: string,
  principal: string,
  origin: Origin,
  outcome: Pick<Facts, "status" | "reason" | "sentence"> = {},
): Draft =>
  entityManagement("deactivate", {
    event: "session.code-reused",
    action: "revoke",
    ...from(origin),
    entity: { type: "session", uid: sid, name: principal },
    ...outcome,
  });

/** A revocation, before and after it is in force. */
export const revocation = (
  by: Chain,
  subject: { type: string; uid: string },
  reason: string,
  policies: Facts["policies"],
  origin: Origin,
  outcome: Pick<Facts, "status" | "reason" | "sentence"> = {},
): Draft =>
  entityManagement("deactivate", {
    event: "session.revoke",
    action: "revoke",
    chain: by,
    ...from(origin),
    entity: subject,
    policies,
    ...outcome,
    details: { why: reason },
  });

/** Everything before this epoch is dead. */
export const epochRaised = (epoch: number, why: string, outcome: Pick<Facts, "status" | "reason" | "sentence"> = {}): Draft =>
  entityManagement("update", {
    event: "state.new-epoch",
    entity: { type: "state", uid: String(epoch) },
    ...outcome,
    details: { why },
  });

/** Somebody looked at the live agents of another principal. */
export const rosterRead = (by: Chain, principal: string, origin: Origin): Draft =>
  entityManagement("read", {
    event: "session.list",
    status: "success",
    chain: by,
    ...from(origin),
    entity: { type: "principal", uid: principal },
  });

/** Other keys sign and verify credentials from now on. */
export const signingKeysChanged = (kids: readonly string[]): Draft =>
  entityManagement("update", {
    event: "credential-keys.change",
    status: "success",
    entity: { type: "credential-keys", uid: kids.at(-1) ?? "" },
    details: { kids: [...kids] },
  });

/** What a refused call asked for. */
export type Attempt =
  | "session.start"
  | "session.saml"
  | "session.sign-in"
  | "session.renew"
  | "session.who-am-i"
  | "agent.delegate"
  | "agent.enrol"
  | "session.revoke"
  | "session.introspect"
  | "session.list";

/** A call that was refused. */
export function refusedCall(
  attempt: Attempt,
  refusal: Refusal,
  { chain, origin, protocol = "OIDC" }: { chain: Chain | undefined; origin: Origin; protocol?: Protocol },
): Draft {
  const facts = { event: attempt, status: "failure", reason: refusal.reason, sentence: refusal.message, chain, ...from(origin) } as const;
  switch (attempt) {
    case "agent.delegate":
      return entityManagement("create", { ...facts, action: "delegate", entity: { type: "agent", uid: "" } });
    case "session.revoke":
      return entityManagement("deactivate", { ...facts, action: "revoke", entity: { type: "session", uid: "" } });
    case "session.who-am-i":
    case "session.introspect":
    case "session.list":
      return entityManagement("read", { ...facts, entity: { type: "session", uid: "" } });
    case "session.renew":
      return authentication("renew", facts);
    case "agent.enrol":
      return authentication("logon", { ...facts, protocol: "ticket" });
    case "session.saml":
      return authentication("logon", { ...facts, protocol: "SAML", details: { rule: refusal.metadata.saml ?? "" } });
    case "session.sign-in":
      return authentication("logon", { ...facts, protocol, details: { rule: refusal.metadata.sign_in ?? "" } });
    case "session.start":
      return authentication("logon", { ...facts, protocol });
  }
}
