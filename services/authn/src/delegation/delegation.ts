import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Action, Refusal } from "@sallyport/contracts";
import {
  actionName,
  actorOf,
  type Ceiling,
  type Chain,
  ceilingAllows,
  childChain,
  depthOf,
  nameCovers,
  newSessionId,
  type PublicJwk,
  parseAgentName,
  principalOf,
  providerOf,
} from "@sallyport/identity";
import * as drafts from "../evidence/drafts.ts";
import type { Evidence, Origin } from "../evidence/evidence.ts";
import type { PolicyFacts, PolicyQuestion } from "../policy/policy-question.ts";
import type { RevocationLog } from "../revocation/revocation-log.ts";
import type { CredentialIssuer, IssuedCredential } from "../sessions/credential-issuer.ts";
import { assertInside } from "../sessions/exceeded.ts";
import type { Limits } from "../sessions/limits.ts";
import { type Lineage, liveLineage } from "../sessions/lineage.ts";
import { inLiveSecond, type Times } from "../sessions/live-second.ts";
import type { SealedCollection } from "../sessions/sealed-collection.ts";
import { type Session, sidsAbove } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import { knownTerms, termsOf } from "./terms.ts";
import { newTicketText, parseTicketSeconds, type Ticket, ticketHash, ticketInvalid } from "./ticket.ts";
import type { Workloads } from "./workloads.ts";

/** A parent's wish to start a child. */
export interface TicketOrder {
  /** RFC 7638 thumbprint of the child's key; undefined for a ticket that names none. */
  readonly childKey: string | undefined;
  readonly agentName: string;
  readonly ceiling: Ceiling;
  /** 1 to 60; 0 means 60. */
  readonly ttlSeconds: number;
}

/** What a child shows beside the proof of its key. */
export interface Redemption {
  readonly ticket: string;
  /** A token of its own workload identity, and the token's type (RFC 8693 §3). */
  readonly workload?: { readonly token: string; readonly type: string } | undefined;
}

interface ProvenKey {
  readonly thumbprint: string;
  readonly publicJwk: PublicJwk;
}

export interface DelegationOptions extends Times {
  readonly tickets: SealedCollection;
  readonly sessions: SessionStore;
  readonly revocations: RevocationLog;
  readonly limits: Limits;
  readonly policy: PolicyQuestion;
  readonly issuer: CredentialIssuer;
  readonly evidence: Evidence;
  readonly workloads: Workloads;
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
   * @param caller as the caller's credential has it
   * @throws Refusal DELEGATION_EXCEEDED, DELEGATION_TOO_DEEP, DENIED_BY_POLICY, RATE_LIMITED, CREDENTIAL_REVOKED
   */
  async issueTicket(order: TicketOrder, caller: Chain, origin: Origin): Promise<{ ticket: string; expiresAt: number; sid: string }> {
    const { sessions, limits, policy, evidence, clock, tickets } = this.#options;
    parseAgentName(order.agentName);
    const ttlMs = parseTicketSeconds(order.ttlSeconds, this.#options.ticketSeconds) * 1000;
    const { session, parent } = await this.#plan(order, caller);
    const answer = await policy.demand(parent.chain, Action.DELEGATE, factsOf(order, session), knownTerms);
    const terms = termsOf(answer);
    limits.checkDepth(depthOf(session.chain), terms.maxDepth);
    // The record outlives its ticket a little, so that a redemption in the last moment still finds it.
    await limits.takeDelegation(session, ttlMs * 2, terms);
    const text = newTicketText();
    const { workloads } = terms;
    const above = sidsAbove(session.chain);
    const ticket: Ticket = { sid: session.sid, above, childThumbprint: order.childKey, workloads, expiresAt: clock.now() + ttlMs };
    // At once, for nobody has the ticket before all of it is kept and on record.
    const [created] = await Promise.all([
      sessions.create(session, ttlMs * 2),
      tickets.create(ticketHash(text), JSON.stringify(ticket), ttlMs),
      evidence.record(drafts.ticketIssued(session.chain, parent.chain, order.ceiling, order.childKey, answer, origin)),
    ]);
    if (!created) throw new Error("a session's id was drawn twice");
    return { ticket: text, expiresAt: ticket.expiresAt, sid: session.sid };
  }

  /**
   * The credential that a ticket stands for, for the key that redeems it. The same key again gets the same session and a fresh
   * credential; another key gets nothing and changes nothing, unless the ticket names no key: then it was taken, and its child
   * is ended.
   * @throws Refusal TICKET_INVALID, CREDENTIAL_REVOKED, DELEGATION_EXCEEDED
   */
  async redeem(shown: Redemption, binding: "dpop" | "mtls", holder: ProvenKey, origin: Origin): Promise<IssuedCredential> {
    const { evidence, issuer, limits, clock } = this.#options;
    const ticket = await this.#ticketOf(shown.ticket);
    if (ticket.childThumbprint !== undefined && ticket.childThumbprint !== holder.thumbprint) throw ticketInvalid();
    const lineage = await liveLineage(ticket.sid, this.#options, ticket.above);
    assertInside(lineage.session.ceiling, lineage.ancestors);
    const workloads = lineage.session.holder.kind === "awaited" ? await this.#workloadsOf(ticket, shown, holder) : [];
    const { session, again } = await this.#enrol(lineage, binding, holder, origin);
    const [credential] = await Promise.all([
      issuer.issue(session, lineage.moment),
      limits.keepPlace(session, session.endsAt - clock.now()),
      evidence.record(drafts.redeemed(session.chain, again, workloads, origin)),
    ]);
    return credential;
  }

  async #ticketOf(text: string): Promise<Ticket> {
    const { tickets, clock } = this.#options;
    if (text === "" || text.length > 128) throw ticketInvalid();
    const entry = await tickets.get(ticketHash(text));
    const ticket = entry === undefined ? undefined : (JSON.parse(entry.text) as Ticket);
    if (ticket === undefined || ticket.expiresAt <= clock.now()) throw ticketInvalid();
    return ticket;
  }

  /** What policy wants the child to be beside the holder of a key: without it a parent can enrol a puppet. */
  async #workloadsOf({ workloads }: Ticket, { workload }: Redemption, { thumbprint }: ProvenKey): Promise<string[]> {
    if (workloads.length === 0) return [];
    if (workload === undefined) {
      throw new Refusal(
        "TICKET_INVALID",
        `Policy lets only a workload of ${workloads.join(" and ")} redeem this ticket: send its own token as \`workload_token\`.`,
      );
    }
    const identity = await this.#options.workloads(workload.token, workload.type, thumbprint);
    if (!workloads.every((name) => nameCovers(name, identity)))
      throw new Refusal("TICKET_INVALID", `This ticket is for a workload of ${workloads.join(" and ")}: this token is another's.`);
    return [identity];
  }

  /** Gives the waiting session to its holder; whoever of several redemptions is first does it, and all by its key get the same session. */
  async #enrol(lineage: Lineage, binding: "dpop" | "mtls", { thumbprint, publicJwk }: ProvenKey, origin: Origin) {
    const { sessions } = this.#options;
    let stored: Pick<Lineage, "session" | "version"> | undefined = lineage;
    while (stored !== undefined) {
      const { session, version } = stored;
      const { holder } = session;
      if (holder.kind === "none") throw ticketInvalid();
      if (holder.kind === "key" && holder.thumbprint === thumbprint) return { session: { ...session, holder }, again: true };
      // Only with a ticket that names no key does another key come this far.
      if (holder.kind === "key") return this.#endTaken(session.chain, holder.thumbprint, origin);
      const enrolled = { ...session, binding, holder: { kind: "key" as const, thumbprint, publicJwk } };
      if (await sessions.replace(enrolled, version)) {
        return { session: enrolled, again: false };
      }
      stored = await sessions.load(session.sid);
    }
    throw ticketInvalid();
  }

  /** Which of the two keys is the thief's cannot be known, so neither keeps the child. */
  async #endTaken(child: Chain, firstThumbprint: string, origin: Origin): Promise<never> {
    const { revocations, evidence, clock } = this.#options;
    const intent = await evidence.intent(drafts.ticketTaken(child, firstThumbprint, origin));
    await revocations.append({ subject: { case: "sessionId", value: actorOf(child).sid }, at: timestampFromMs(clock.now()) });
    void revocations.readToEnd().catch(() => undefined);
    await intent.outcome(drafts.ticketTaken(child, firstThumbprint, origin, { status: "success" }));
    throw new Refusal(
      "TICKET_INVALID",
      "Another key has redeemed this ticket: somebody took it, so its agent was ended; have the parent ask for one bound to your key.",
      { metadata: { ended: actorOf(child).sid } },
    );
  }

  /** The child's session as it would be, and the parent's as it is. */
  #plan(order: TicketOrder, caller: Chain): Promise<{ session: Session; parent: Session }> {
    const { limits, revocations } = this.#options;
    return inLiveSecond(this.#options, async () => {
      const parent = await liveLineage(actorOf(caller).sid, this.#options, sidsAbove(caller));
      limits.checkDepth(depthOf(parent.session.chain) + 1);
      checkCeiling(order.ceiling, parent);
      const chain = childChain(parent.session.chain, order.agentName, newSessionId());
      const starts = [...parent.session.starts, parent.moment.second];
      const provider = providerOf(principalOf(chain).id);
      if (revocations.set.revokes({ chain, sessionStarts: starts, issuedAt: parent.moment.second, provider }) !== undefined) return "dead";
      const holder = { kind: "awaited" as const, thumbprint: order.childKey ?? "" };
      const { endsAt } = parent.session;
      return {
        session: { sid: actorOf(chain).sid, chain, starts, ceiling: order.ceiling, holder, binding: "dpop" as const, endsAt },
        parent: parent.session,
      };
    });
  }
}

/** What policy may speak of: who would be started, with what ceiling, by what kind of ticket. */
const factsOf = ({ agentName, ceiling: { entries }, childKey }: TicketOrder, { chain }: Session): PolicyFacts => ({
  agent: actorOf(chain).id,
  name: agentName,
  ticket: childKey === undefined ? "unbound" : "bound",
  actions: distinct(entries.flatMap(({ actions }) => actions.map((action) => actionName(action) as string))),
  secrets: distinct(entries.flatMap(({ secrets }) => secrets)),
  targets: distinct(entries.flatMap(({ targets }) => targets)),
});

const distinct = (names: readonly string[]) => [...new Set(names)];

/** A child may do at most what its parent may, and whoever is above it, as they may now. More is refused, never cut down in silence. */
function checkCeiling(ceiling: Ceiling, parent: Lineage): void {
  if (!ceilingAllows(parent.session.ceiling, Action.DELEGATE)) {
    throw new Refusal(
      "DENIED_BY_POLICY",
      "Your own ceiling does not hold `delegate`: ask whoever started you for a credential that may start agents.",
    );
  }
  assertInside(ceiling, [parent.session, ...parent.ancestors]);
}
