import { Action, Refusal } from "@sallyport/contracts";
import {
  type Ceiling,
  type Chain,
  ceilingAllows,
  depthOf,
  parsePrincipalId,
  parseSessionId,
  principalOf,
  providerOf,
} from "@sallyport/identity";
import type { PolicyQuestion } from "../policy/policy-question.ts";
import type { RevocationLog } from "../revocation/revocation-log.ts";
import type { Limits } from "./limits.ts";
import type { Session } from "./session.ts";
import type { SessionStore } from "./session-store.ts";

const defaultPageSize = 100;
const maxPageSize = 200;

/** Who asks. */
export interface Reader {
  readonly chain: Chain;
  readonly ceiling: Ceiling;
  readonly sid: string;
}

export interface RosterOptions {
  readonly limits: Limits;
  readonly sessions: SessionStore;
  readonly revocations: RevocationLog;
  readonly policy: PolicyQuestion;
  readonly clock: { now(): number };
}

/** The agents that live, principal by principal: from the places that they hold, of which each principal has a bounded number. */
export class Roster {
  readonly #options: RosterOptions;

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /**
   * One page of a principal's live agents, as far as the reader may see them.
   * @param after the last session's id of the page before; empty for the first
   * @returns `next`: what the next page comes after; undefined after the last
   * @throws Refusal INVALID_REQUEST, DENIED_BY_POLICY
   */
  async page(
    { principal, pageSize, after }: { principal: string; pageSize: number; after: string },
    by: Reader,
  ): Promise<{ sessions: Session[]; next: string | undefined }> {
    if (pageSize > maxPageSize) throw new Refusal("INVALID_REQUEST", `A page holds ${maxPageSize} sessions at most: ask for fewer.`);
    if (after !== "") parseSessionId(after);
    const whose = principal === "" ? principalOf(by.chain).id : parsePrincipalId(principal);
    const size = pageSize === 0 ? defaultPageSize : pageSize;
    if (whose !== principalOf(by.chain).id) await this.#authorize(whose, by);
    const { limits, sessions, revocations } = this.#options;
    await revocations.readToEnd();
    const sids = await limits.placesOf(whose, after, size);
    const stored = await Promise.all(sids.map((sid) => sessions.load(sid)));
    const live = stored.flatMap((entry) => (entry !== undefined && this.#isLive(entry.session) ? [entry.session] : []));
    return { sessions: live.filter((session) => sees(by, whose, session)), next: sids.length < size ? undefined : sids.at(-1) };
  }

  async #authorize(principal: string, by: Reader): Promise<void> {
    if (!ceilingAllows(by.ceiling, Action.REVOKE))
      throw new Refusal("DENIED_BY_POLICY", "Your credential's ceiling does not hold `revoke`, and these agents are not yours to see.");
    await this.#options.policy.demand(by.chain, Action.REVOKE, { principal });
  }

  #isLive({ chain, starts: sessionStarts, endsAt }: Session): boolean {
    const { revocations, clock } = this.#options;
    const provider = providerOf(principalOf(chain).id);
    const why = revocations.set.revokes({ chain, sessionStarts, issuedAt: Number.POSITIVE_INFINITY, provider });
    return why === undefined && endsAt > clock.now();
  }
}

/** An agent is no judge of its elders, nor of its siblings. */
const sees = (by: Reader, whose: string, { chain }: Session): boolean =>
  whose !== principalOf(by.chain).id || depthOf(by.chain) === 0 || chain.links.some(({ sid }) => sid === by.sid);
