import { Action, Refusal } from "@sallyport/contracts";
import {
  actorOf,
  type Ceiling,
  ceilingAllows,
  childChain,
  depthOf,
  entriesOutside,
  isThumbprint,
  newSessionId,
  type PublicJwk,
  parseAgentName,
  principalOf,
  providerOf,
} from "@sallyport/identity";
import * as drafts from "../evidence/drafts.ts";
import type { Evidence, Origin } from "../evidence/evidence.ts";
import type { PolicyQuestion } from "../policy/policy-question.ts";
import type { RevocationLog } from "../revocation/revocation-log.ts";
import type { CredentialIssuer, IssuedCredential } from "../sessions/credential-issuer.ts";
import { exceeded } from "../sessions/exceeded.ts";
import type { Limits } from "../sessions/limits.ts";
import { type Lineage, liveLineage } from "../sessions/lineage.ts";
import { inLiveSecond, type Times } from "../sessions/live-second.ts";
import type { SealedCollection } from "../sessions/sealed-collection.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import { newTicketText, parseTicketSeconds, type Ticket, ticketHash, ticketInvalid } from "./ticket.ts";

/** A parent's wish to start a child. */
export interface TicketOrder {
  readonly childThumbprint: string;
  readonly agentName: string;
  readonly ceiling: Ceiling;
  /** 1 to 60; 0 means 60. */
  readonly ttlSeconds: number;
}

export interface DelegationOptions extends Times {
  readonly tickets: SealedCollection;
  readonly sessions: SessionStore;
  readonly revocations: RevocationLog;
  readonly limits: Limits;
  readonly policy: PolicyQuestion;
  readonly issuer: CredentialIssuer;
  readonly evidence: Evidence;
  /** Most seconds that a ticket can be redeemed; at most 60. */
  readonly ticketSeconds: number;
}

/**
 * Starts nested agents. The parent gets a ticket that only the child's key can redeem; what the child then holds is bound to
 * that key and was never in the parent's hands. The child's session exists, waiting for its holder, from the ticket on, so
 * that it can be revoked before it has begun.
 */
export class Delegation {
  readonly #options: DelegationOptions;

  constructor(options: DelegationOptions) {
    this.#options = options;
  }

  /**
   * A ticket for a child of the caller.
   * @param parentSid the caller's session
   * @throws Refusal DELEGATION_EXCEEDED, DELEGATION_TOO_DEEP, DENIED_BY_POLICY, RATE_LIMITED, CREDENTIAL_REVOKED
   */
  async issueTicket(order: TicketOrder, parentSid: string, origin: Origin): Promise<{ ticket: string; expiresAt: number; sid: string }> {
    const { sessions, limits, policy, evidence, clock, tickets } = this.#options;
    parseAgentName(order.agentName);
    if (!isThumbprint(order.childThumbprint))
      throw new Refusal("INVALID_REQUEST", "The child's thumbprint must be the RFC 7638 SHA-256 of its public key: 43 characters.");
    const ttlMs = parseTicketSeconds(order.ttlSeconds, this.#options.ticketSeconds) * 1000;
    const { session, parent } = await this.#plan(order, parentSid);
    await policy.demand(parent.chain, Action.DELEGATE, { agent: actorOf(session.chain).id });
    await limits.countDelegation(principalOf(parent.chain).id);
    // The record outlives its ticket a little, so that a redemption in the last moment still finds it.
    await limits.takePlace(session, ttlMs * 2);
    if (!(await sessions.create(session, ttlMs * 2))) throw new Error("a session's id was drawn twice");
    const text = newTicketText();
    const ticket: Ticket = { sid: session.sid, childThumbprint: order.childThumbprint, expiresAt: clock.now() + ttlMs };
    await tickets.create(ticketHash(text), JSON.stringify(ticket), ttlMs);
    await evidence.record(drafts.ticketIssued(session.chain, parent.chain, order.ceiling, order.childThumbprint, origin));
    return { ticket: text, expiresAt: ticket.expiresAt, sid: session.sid };
  }

  /**
   * The credential that a ticket stands for, for the key that redeems it. The same key again gets the same session and a fresh
   * credential; another key gets nothing and changes nothing.
   * @throws Refusal TICKET_INVALID, CREDENTIAL_REVOKED
   */
  async redeem(
    text: string,
    binding: "dpop" | "mtls",
    holder: { thumbprint: string; publicJwk: PublicJwk },
    origin: Origin,
  ): Promise<IssuedCredential> {
    const { evidence, issuer, clock, tickets } = this.#options;
    if (text === "" || text.length > 128) throw ticketInvalid();
    const entry = await tickets.get(ticketHash(text));
    const ticket = entry === undefined ? undefined : (JSON.parse(entry.text) as Ticket);
    if (ticket === undefined || ticket.expiresAt <= clock.now() || ticket.childThumbprint !== holder.thumbprint) throw ticketInvalid();
    const lineage = await liveLineage(ticket.sid, this.#options);
    const { session, again } = await this.#enrol(lineage, binding, holder);
    const credential = await issuer.issue(session, lineage.moment);
    await evidence.record(drafts.redeemed(session.chain, again, origin));
    return credential;
  }

  /** Gives the waiting session to its holder; whoever of several redemptions is first does it, and all get the same session. */
  async #enrol(lineage: Lineage, binding: "dpop" | "mtls", holder: { thumbprint: string; publicJwk: PublicJwk }) {
    const { sessions, limits, clock } = this.#options;
    let stored: Pick<Lineage, "session" | "version"> | undefined = lineage;
    while (stored !== undefined) {
      const { session, version } = stored;
      const { kind } = session.holder;
      if (kind === "none" || session.holder.thumbprint !== holder.thumbprint) throw ticketInvalid();
      if (kind === "key") return { session: { ...session, holder: session.holder }, again: true };
      const enrolled = { ...session, binding, holder: { kind: "key" as const, ...holder } };
      if (await sessions.replace(enrolled, version)) {
        await limits.keepPlace(enrolled, enrolled.endsAt - clock.now());
        return { session: enrolled, again: false };
      }
      stored = await sessions.load(session.sid);
    }
    throw ticketInvalid();
  }

  /** The child's session as it would be, and the parent's as it is. */
  #plan(order: TicketOrder, parentSid: string): Promise<{ session: Session; parent: Session }> {
    const { limits, revocations } = this.#options;
    return inLiveSecond(this.#options, async () => {
      const parent = await liveLineage(parentSid, this.#options);
      limits.checkDepth(depthOf(parent.session.chain) + 1);
      checkCeiling(order.ceiling, parent);
      const chain = childChain(parent.session.chain, order.agentName, newSessionId());
      const starts = [...parent.session.starts, parent.moment.second];
      const provider = providerOf(principalOf(chain).id);
      if (revocations.set.revokes({ chain, sessionStarts: starts, issuedAt: parent.moment.second, provider }) !== undefined) return "dead";
      const holder = { kind: "awaited" as const, thumbprint: order.childThumbprint };
      const { endsAt } = parent.session;
      return {
        session: { sid: actorOf(chain).sid, chain, starts, ceiling: order.ceiling, holder, binding: "dpop" as const, endsAt },
        parent: parent.session,
      };
    });
  }
}

/** A child may do at most what its parent may, and whoever is above it, as they may now. More is refused, never cut down in silence. */
function checkCeiling(ceiling: Ceiling, parent: Lineage): void {
  if (!ceilingAllows(parent.session.ceiling, Action.DELEGATE)) {
    throw new Refusal(
      "DENIED_BY_POLICY",
      "Your own ceiling does not hold `delegate`: ask whoever started you for a credential that may start agents.",
    );
  }
  for (const { ceiling: above } of [parent.session, ...parent.ancestors]) {
    const outside = entriesOutside(above, ceiling);
    if (outside.length > 0) throw exceeded(outside);
  }
}
