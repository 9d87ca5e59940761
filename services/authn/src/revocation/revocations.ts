import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Action, printable, Refusal, type RevokeRequest } from "@sallyport/contracts";
import {
  actorOf,
  type Ceiling,
  type Chain,
  ceilingAllows,
  parseAgentId,
  parsePrincipalId,
  parseProvider,
  parseSessionId,
} from "@sallyport/identity";
import * as drafts from "../evidence/drafts.ts";
import type { Evidence, Origin } from "../evidence/evidence.ts";
import type { PolicyQuestion } from "../policy/policy-question.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import type { RevocationLog } from "./revocation-log.ts";

const maxReasonLength = 500;

/** Who asks for a revocation. */
export interface Revoker {
  readonly chain: Chain;
  readonly ceiling: Ceiling;
}

export interface RevocationsOptions {
  readonly log: RevocationLog;
  readonly sessions: SessionStore;
  readonly evidence: Evidence;
  readonly policy: PolicyQuestion;
  readonly clock: { now(): number };
}

/**
 * Ends sessions. An agent, or whoever stands above it, may always end it with its subtree; anything else is for whom policy
 * allows `revoke`. On record before it is in force, in force in the state before it is answered.
 */
export class Revocations {
  readonly #options: RevocationsOptions;

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** @returns the revocation's place in the feed */
  async revoke(request: Pick<RevokeRequest, "subject" | "reason">, by: Revoker, origin: Origin): Promise<number> {
    const { log, evidence, clock } = this.#options;
    const subject = parseSubject(request.subject, clock.now());
    if (request.reason.length > maxReasonLength)
      throw new Refusal("INVALID_REQUEST", "The reason is longer than 500 characters: shorten it.");
    const policies = await this.#authorize(subject, by);
    const named = {
      type: subject.case,
      uid: typeof subject.value === "string" ? subject.value : new Date(timestampMs(subject.value)).toISOString(),
    };
    const draft = (outcome?: Parameters<typeof drafts.revocation>[5]) =>
      drafts.revocation(by.chain, named, printable(request.reason, maxReasonLength), policies, origin, outcome);
    const intent = await evidence.intent(draft());
    let sequence: number;
    try {
      sequence = await log.append({ subject, at: timestampFromMs(clock.now()) });
    } catch (error) {
      await intent.outcome(
        draft({
          status: "unknown",
          reason: "STATE_UNAVAILABLE",
          sentence: "The shared state did not confirm the revocation; it may be in force.",
        }),
      );
      throw error;
    }
    // Read now rather than when a replica asks next: every stream gets it pushed.
    void log.readToEnd().catch(() => undefined);
    await intent.outcome(draft({ status: "success" }));
    return sequence;
  }

  async #authorize(subject: Subject, by: Revoker) {
    if (subject.case === "sessionId" && (await this.#isBelow(subject.value, by.chain))) return undefined;
    if (!ceilingAllows(by.ceiling, Action.REVOKE)) {
      throw new Refusal(
        "DENIED_BY_POLICY",
        "Your credential's ceiling does not hold `revoke`, and this is not yours to end: ask whoever may.",
      );
    }
    return this.#options.policy.demand(by.chain, Action.REVOKE, { [subject.case]: typeof subject.value === "string" ? subject.value : "" });
  }

  /** Whether the session is the revoker's own or one below it. */
  async #isBelow(sid: string, by: Chain): Promise<boolean> {
    const revoker = actorOf(by).sid;
    if (sid === revoker) return true;
    const stored = await this.#options.sessions.load(sid);
    return stored?.session.chain.links.some((link) => link.sid === revoker) ?? false;
  }
}

type Subject = { case: "sessionId" | "principal" | "provider" | "agent"; value: string } | { case: "startedBefore"; value: Timestamp };

/** What is to end, every name in its form: one that nobody can have would revoke nothing and seem to have worked. */
function parseSubject(subject: RevokeRequest["subject"], now: number): Subject {
  switch (subject.case) {
    case "sessionId":
      return { case: "sessionId", value: parseSessionId(subject.value) };
    case "principal":
      return { case: "principal", value: parsePrincipalId(subject.value) };
    case "provider":
      return { case: "provider", value: parseProvider(subject.value) };
    case "agent":
      return { case: "agent", value: parseAgentId(subject.value) };
    case "startedBefore":
      if (timestampMs(subject.value) > now)
        throw new Refusal("INVALID_REQUEST", "`started_before` lies ahead: only sessions that exist can be ended.");
      return { case: "startedBefore", value: subject.value };
    default:
      throw new Refusal(
        "INVALID_REQUEST",
        "Say what to end: a session, an agent, a principal, a provider, or all that began before a time.",
      );
  }
}
