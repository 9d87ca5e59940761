import { Refusal } from "@sallyport/contracts";
import {
  actorOf,
  type Ceiling,
  type Chain,
  chainOf,
  childChain,
  depthOf,
  newSessionId,
  type PublicJwk,
  principalOf,
  unlimitedCeiling,
} from "@sallyport/identity";
import type { State } from "@sallyport/state";
import * as drafts from "../evidence/drafts.ts";
import type { Evidence, Origin } from "../evidence/evidence.ts";
import type { RevocationLog } from "../revocation/revocation-log.ts";
import type { CredentialIssuer, IssuedCredential } from "../sessions/credential-issuer.ts";
import type { Limits } from "../sessions/limits.ts";
import { inLiveSecond, type Times } from "../sessions/live-second.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import type { OutsideIdentities } from "../trust/outside-identities.ts";
import { bindToken } from "../trust/token-binding.ts";
import type { OutsideIdentity } from "../trust/trust-provider.ts";

/** What is asked of a session that is to begin. */
export interface SessionOrder {
  /** Set where the caller is an agent of that identity. */
  readonly agentName: string | undefined;
  readonly ceiling: Ceiling | undefined;
  readonly binding: "dpop" | "mtls";
}

/** A token exchange (RFC 8693 §2.1), parsed. */
export interface ExchangeOrder extends SessionOrder {
  readonly subjectToken: string;
  readonly subjectTokenType: string;
  /** Thumbprint of the connection's client certificate, where it showed one (RFC 8705 `x5t#S256`). */
  readonly certificate?: string | undefined;
}

/** Whoever proved the call's key. */
interface Holder {
  readonly thumbprint: string;
  readonly publicJwk: PublicJwk;
}

export interface ExchangeOptions extends Times {
  readonly identities: OutsideIdentities;
  readonly state: State;
  readonly sessions: SessionStore;
  readonly revocations: RevocationLog;
  readonly limits: Limits;
  readonly issuer: CredentialIssuer;
  readonly evidence: Evidence;
  /** How long a session lives at most. */
  readonly sessionSeconds: number;
  /** Called before a session is begun. */
  readonly beforeSession: () => Promise<void>;
}

/** Turns an outside identity into a session, and a credential for the key that the proof was made with. */
export class Exchange {
  readonly #options: ExchangeOptions;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  async exchange(order: ExchangeOrder, holder: Holder, origin: Origin): Promise<IssuedCredential> {
    const { identities, state } = this.#options;
    const identity = await identities.verify(order.subjectToken, order.subjectTokenType, holder.thumbprint, order.certificate);
    return this.signIn(identity, order, holder, origin, () => bindToken(state, identity, holder.thumbprint, this.#options));
  }

  /**
   * A session for whoever was proven by other means than a token of theirs.
   * @param spend uses up what proved them, or throws: the last thing before the session begins
   */
  async signIn(
    identity: OutsideIdentity,
    order: SessionOrder,
    holder: Holder,
    origin: Origin,
    spend: () => Promise<void>,
  ): Promise<IssuedCredential> {
    const { limits, issuer, evidence } = this.#options;
    const ceiling = ceilingFor(order, identity);
    const chain = chainFor(order, identity);
    await limits.countSignIn(principalOf(chain).id);
    await this.#options.beforeSession();
    await spend();
    const { session, moment } = await this.#begin(chain, ceiling, order.binding, { kind: "key", ...holder }, identity);
    const credential = await issuer.issue(session, moment);
    await evidence.record(drafts.signedIn(chain, identity, ceiling, origin));
    return credential;
  }

  #begin<H extends Session["holder"]>(chain: Chain, ceiling: Ceiling, binding: "dpop" | "mtls", holder: H, identity: OutsideIdentity) {
    const { provider, sessionEnds = Number.POSITIVE_INFINITY } = identity;
    const { sessions, revocations, sessionSeconds, limits } = this.#options;
    return inLiveSecond(this.#options, async (moment) => {
      const { second } = moment;
      await revocations.readToEnd();
      const starts = chain.links.map(() => second);
      if (revocations.set.revokes({ chain, sessionStarts: starts, issuedAt: second, provider: provider.name }) !== undefined) return "dead";
      const endsAt = Math.min((second + sessionSeconds) * 1000, sessionEnds);
      const session = { sid: actorOf(chain).sid, chain, starts, ceiling, holder, binding, endsAt };
      if (depthOf(chain) > 0) await limits.takePlace(session, endsAt - this.#options.clock.now());
      for (const ancestor of principalSessions(session)) await sessions.create(ancestor);
      await sessions.create(session);
      return { session, moment };
    });
  }
}

/** A session for the principal that an agent signs in for: it can be revoked, and holds no key. */
function principalSessions(session: Session): Session[] {
  const [principal, ...agents] = session.chain.links;
  if (agents.length === 0) return [];
  const chain = chainOf([principal], session.chain.groups);
  return [{ ...session, sid: principal.sid, chain, starts: session.starts.slice(0, 1), holder: { kind: "none" }, binding: "dpop" }];
}

/** What is absent never reads as more: only a person, for whom policy speaks alone, may leave the ceiling out. */
function ceilingFor(order: SessionOrder, identity: OutsideIdentity): Ceiling {
  if (order.ceiling !== undefined) return order.ceiling;
  if (order.agentName === undefined && identity.provider.kind === "person") return unlimitedCeiling;
  throw new Refusal(
    "INVALID_REQUEST",
    "Say the most that this credential may do (its ceiling): only a person who signs in for themselves may leave it out.",
  );
}

function chainFor(order: SessionOrder, { provider, principal, groups, owner }: OutsideIdentity): Chain {
  const link = { id: principal, kind: provider.kind, sid: newSessionId(), ...(owner === undefined ? {} : { owner }) };
  const chain = chainOf([link], groups);
  return order.agentName === undefined ? chain : childChain(chain, order.agentName, newSessionId());
}
