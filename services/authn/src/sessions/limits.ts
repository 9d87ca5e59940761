import { Refusal } from "@sallyport/contracts";
import { type Chain, principalOf, providerOf } from "@sallyport/identity";
import type { State } from "@sallyport/state";
import type { RevocationLog } from "../revocation/revocation-log.ts";
import type { Session } from "./session.ts";
import type { SessionStore } from "./session-store.ts";

const minuteMs = 60_000;

/** More than any configuration allows, so that all are seen that hold a place. */
const mostPlaces = 100_000;

export interface LimitSettings {
  /** Most agents below a principal in one line. */
  readonly maxDepth: number;
  /** Most live agents of one principal, over all its sessions; */
  readonly maxAgents: number;
  /** Most tickets a minute for one principal's agents together. */
  readonly delegationsPerMinute: number;
  /** Most sign-ins a minute of one principal. */
  readonly signInsPerMinute: number;
}

/** Who holds a place: the session, and its parent's. */
interface Place {
  readonly sid: string;
  readonly parent: string;
}

/** What one principal's whole tree may take together: nesting deeper, or spreading wider, buys nothing more. */
export class Limits {
  readonly #state: State;
  readonly #sessions: Pick<SessionStore, "load">;
  readonly #revocations: RevocationLog;
  readonly settings: LimitSettings;

  constructor(state: State, sessions: Pick<SessionStore, "load">, revocations: RevocationLog, settings: LimitSettings) {
    this.#state = state;
    this.#sessions = sessions;
    this.#revocations = revocations;
    this.settings = settings;
  }

  /** @param byPolicy a lower limit, where a policy sets one @throws Refusal DELEGATION_TOO_DEEP */
  checkDepth(depth: number, byPolicy = Number.POSITIVE_INFINITY): void {
    const most = Math.min(this.settings.maxDepth, byPolicy);
    if (depth <= most) return;
    throw new Refusal(
      "DELEGATION_TOO_DEEP",
      `Agents may nest ${most} deep here, and this would be one more: let an agent higher up start it.`,
    );
  }

  /** @throws Refusal RATE_LIMITED */
  async countSignIn(principal: string): Promise<void> {
    await this.#count("sign-ins", principal, this.settings.signInsPerMinute, "signs in too often");
  }

  /** @param byPolicy a lower limit, where a policy sets one @throws Refusal RATE_LIMITED */
  async countDelegation(principal: string, byPolicy = Number.POSITIVE_INFINITY): Promise<void> {
    await this.#count("delegations", principal, Math.min(this.settings.delegationsPerMinute, byPolicy), "starts agents too often");
  }

  /**
   * Takes one of the principal's places for an agent. Taken first and counted after, so that however many ask at a time, no
   * more than the limit ever hold one.
   * @param byPolicy lower limits, where a policy sets them: for the principal's whole tree, and for the parent's own children
   * @throws Refusal RATE_LIMITED
   */
  async takePlace(session: Session, ttlMs: number, byPolicy: { maxAgents?: number; maxChildren?: number } = {}): Promise<void> {
    const tree = treeOf(session.chain);
    const parent = parentOf(session);
    await this.keepPlace(session, ttlMs);
    const { maxChildren = Number.POSITIVE_INFINITY } = byPolicy;
    const maxAgents = Math.min(this.settings.maxAgents, byPolicy.maxAgents ?? Number.POSITIVE_INFINITY);
    const exceeded = (held: readonly Place[]) => {
      if (held.length > maxAgents) return `This principal has ${maxAgents} live agents`;
      if (held.filter((place) => place.parent === parent).length > maxChildren) return `This agent has ${maxChildren} live children`;
      return undefined;
    };
    const held = await this.#held(tree);
    if (exceeded(held) === undefined) return;
    // Places of those who were revoked are free again, though their records have not run out yet.
    await Promise.all(held.map((place) => this.#freeIfDead(tree, place, session.sid)));
    const why = exceeded(await this.#held(tree));
    if (why === undefined) return;
    await this.#state.leave(tree, memberOf(session));
    throw new Refusal("RATE_LIMITED", `${why}, the most that it may have: end some, or wait until they have ended.`, {
      retryAfterMs: minuteMs,
    });
  }

  /** Keeps the place for as long as the session lives, now that its holder has come. */
  keepPlace(session: Session, ttlMs: number): Promise<void> {
    return this.#state.join(treeOf(session.chain), memberOf(session), Math.max(1, Math.ceil(ttlMs)));
  }

  /** Sessions of the principal's agents that hold a place, by id. @param after the id before the first; empty for all */
  async placesOf(principal: string, after: string, limit: number): Promise<string[]> {
    const held = await this.#held(`agents ${principal}`);
    return held
      .map(({ sid }) => sid)
      .filter((sid) => sid > after)
      .sort()
      .slice(0, limit);
  }

  async #held(tree: string): Promise<Place[]> {
    return (await this.#state.members(tree, mostPlaces)).map((member) => {
      const [sid = "", parent = ""] = member.split(".");
      return { sid, parent };
    });
  }

  /** @param newcomer takes its place before its record is written */
  async #freeIfDead(tree: string, { sid, parent }: Place, newcomer: string): Promise<void> {
    if (sid === newcomer) return;
    const stored = await this.#sessions.load(sid);
    if (stored === undefined) return;
    const { chain, starts: sessionStarts } = stored.session;
    const provider = providerOf(principalOf(chain).id);
    if (this.#revocations.set.revokes({ chain, sessionStarts, issuedAt: Number.POSITIVE_INFINITY, provider }) !== undefined)
      await this.#state.leave(tree, `${sid}.${parent}`);
  }

  async #count(what: string, principal: string, limit: number, sentence: string): Promise<void> {
    if ((await this.#state.increment(`${what} ${principal}`, 1, minuteMs)) <= limit) return;
    throw new Refusal("RATE_LIMITED", `This principal, its agents included, ${sentence}: at most ${limit} a minute.`, {
      retryAfterMs: minuteMs,
    });
  }
}

const treeOf = (chain: Chain) => `agents ${principalOf(chain).id}`;
const parentOf = ({ chain }: Session) => chain.links.at(-2)?.sid ?? "";
const memberOf = (session: Session) => `${session.sid}.${parentOf(session)}`;
