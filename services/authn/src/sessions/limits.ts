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

/** Where a policy sets lower limits: for the principal's whole tree, and for the parent's own children. */
interface ByPolicy {
  readonly maxAgents?: number;
  readonly maxChildren?: number;
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

  /**
   * Counts a ticket and takes the child's place, both at once; where there are too many tickets, the place is given back.
   * @param byPolicy lower limits, where a policy sets them @throws Refusal RATE_LIMITED
   */
  async takeDelegation(child: Session, ttlMs: number, byPolicy: ByPolicy & { ticketsPerMinute?: number } = {}): Promise<void> {
    const most = Math.min(this.settings.delegationsPerMinute, byPolicy.ticketsPerMinute ?? Number.POSITIVE_INFINITY);
    const counted = this.#count("delegations", principalOf(child.chain).id, most, "starts agents too often");
    const [count, places] = await Promise.allSettled([counted, this.keepPlace(child, ttlMs)]);
    if (count.status === "rejected") {
      if (places.status === "fulfilled") await this.#state.leave(treeOf(child.chain), memberOf(child));
      throw count.reason;
    }
    if (places.status === "rejected") throw places.reason;
    await this.#checkPlaces(child, places.value, byPolicy);
  }

  /**
   * Takes one of the principal's places for an agent. Taken first and counted after, so that however many ask at a time, no
   * more than the limit ever hold one.
   * @throws Refusal RATE_LIMITED
   */
  async takePlace(session: Session, ttlMs: number): Promise<void> {
    await this.#checkPlaces(session, await this.keepPlace(session, ttlMs));
  }

  /** @param count places that are taken, the session's own among them */
  async #checkPlaces(session: Session, count: number, byPolicy: ByPolicy = {}): Promise<void> {
    const tree = treeOf(session.chain);
    const parent = parentOf(session);
    const { maxChildren = Number.POSITIVE_INFINITY } = byPolicy;
    const maxAgents = Math.min(this.settings.maxAgents, byPolicy.maxAgents ?? Number.POSITIVE_INFINITY);
    // Whose they are does not matter while there are so few.
    if (count <= Math.min(maxAgents, maxChildren)) return;
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

  /** Keeps the place for as long as the session lives, now that its holder has come. @returns how many the principal's agents have */
  keepPlace(session: Session, ttlMs: number): Promise<number> {
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
