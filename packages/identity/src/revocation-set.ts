import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Revocation } from "@sallyport/contracts";
import { type Link, principalOf } from "./chain.ts";
import type { Credential } from "./credential.ts";

/** What of a credential a revocation can match. */
export type Revocable = Pick<Credential, "chain" | "sessionStarts" | "issuedAt" | "provider">;

/** Why a credential is dead: the kind of the revocation that matched. `narrowed` alone is mended by renewing. */
export type RevokedBy = "session" | "agent" | "principal" | "provider" | "started-before" | "narrowed";

/** Whether applying went well: a `gap` means that a revocation before this one was never seen. */
export type Applied = "applied" | "gap" | "unknown-subject";

/**
 * Everything that was revoked and could still be met, as authn's feed tells it; the same set on every replica. It grows by a
 * few bytes a revocation, keeps only the latest time per subject, and forgets what authn has forgotten. Session starts and issue times are whole seconds,
 * rounded down; comparing them with a revocation's milliseconds errs towards dead, by less than a second.
 */
export class RevocationSet {
  /** By their sequence numbers, in which they also lie. */
  readonly #sessions = new Map<string, number>();
  readonly #principals: Times = new Map();
  readonly #agents: Times = new Map();
  readonly #providers: Times = new Map();
  readonly #narrowed: Times = new Map();
  #startedBefore = Number.NEGATIVE_INFINITY;
  #lastSequence = 0n;
  #forgotten = 0n;

  /** The latest revocation that was applied with every one before it; 0 for none. */
  get lastSequence(): bigint {
    return this.#lastSequence;
  }

  /**
   * Takes a revocation in. One that was seen already changes nothing; one after a gap is taken too, as more revoked is safe,
   * but `lastSequence` stays before the gap.
   */
  apply(revocation: Revocation): Applied {
    if (!this.#add(revocation)) return "unknown-subject";
    if (revocation.sequence > this.#lastSequence + 1n) return "gap";
    if (revocation.sequence === this.#lastSequence + 1n) this.#lastSequence = revocation.sequence;
    return "applied";
  }

  /**
   * Forgets revocations up to this one, which nothing that lives can match any more: all that began before them is over. One
   * of them that was never seen is no gap.
   */
  forgetThrough(sequence: bigint): void {
    if (sequence <= this.#forgotten) return;
    this.#forgotten = sequence;
    const last = Number(sequence);
    for (const [sid, seen] of this.#sessions) {
      if (seen > last) break;
      this.#sessions.delete(sid);
    }
    for (const times of [this.#principals, this.#agents, this.#providers, this.#narrowed])
      for (const [name, { sequence: seen }] of times) if (seen <= last) times.delete(name);
    if (sequence > this.#lastSequence) this.#lastSequence = sequence;
  }

  /** How many subjects it knows. */
  get size(): number {
    return this.#sessions.size + this.#principals.size + this.#agents.size + this.#providers.size + this.#narrowed.size;
  }

  /** Why the credential is dead; undefined while it lives. */
  revokes({ chain, sessionStarts, issuedAt, provider }: Revocable): RevokedBy | undefined {
    const rootStart = (sessionStarts[0] as number) * 1000;
    if (rootStart < this.#startedBefore) return "started-before";
    if (rootStart < at(this.#providers, provider)) return "provider";
    if (rootStart < at(this.#principals, principalOf(chain).id)) return "principal";
    const last = chain.links.length - 1;
    for (const [index, link] of chain.links.entries()) {
      const why = this.#revokesLink(link, (sessionStarts[index] as number) * 1000, index < last, issuedAt * 1000);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** Whether a session's ceiling was ever narrowed, as far as it is not forgotten. */
  hasNarrowed(sid: string): boolean {
    return this.#narrowed.has(sid);
  }

  #revokesLink(link: Link, start: number, hasDescendant: boolean, issuedAt: number): RevokedBy | undefined {
    if (this.#sessions.has(link.sid)) return "session";
    if (link.kind === "agent" && start < at(this.#agents, link.id)) return "agent";
    if (hasDescendant && issuedAt <= at(this.#narrowed, link.sid)) return "narrowed";
    return undefined;
  }

  #add(revocation: Revocation): boolean {
    const { subject } = revocation;
    const sequence = Number(revocation.sequence);
    // A revocation without a time reaches as far as it can, not as little.
    const when = revocation.at === undefined ? Number.POSITIVE_INFINITY : milliseconds(revocation.at);
    switch (subject.case) {
      case "sessionId":
        if (!this.#sessions.has(subject.value)) this.#sessions.set(subject.value, sequence);
        return true;
      case "principal":
        raise(this.#principals, subject.value, when, sequence);
        return true;
      case "provider":
        raise(this.#providers, subject.value, when, sequence);
        return true;
      case "agent":
        raise(this.#agents, subject.value, when, sequence);
        return true;
      case "narrowedSessionId":
        raise(this.#narrowed, subject.value, when, sequence);
        return true;
      case "startedBefore":
        this.#startedBefore = Math.max(this.#startedBefore, milliseconds(subject.value));
        return true;
      default:
        return false;
    }
  }
}

/** Until when a subject's sessions are dead, and the latest revocation that says something of it. */
type Times = Map<string, { readonly until: number; readonly sequence: number }>;

const at = (times: Times, name: string) => times.get(name)?.until ?? Number.NEGATIVE_INFINITY;

function raise(times: Times, name: string, when: number, sequence: number): void {
  const known = times.get(name);
  times.set(name, { until: Math.max(known?.until ?? when, when), sequence: Math.max(known?.sequence ?? sequence, sequence) });
}

/** Rounded up, as an earlier time would revoke less. */
const milliseconds = (timestamp: Timestamp) => Number(timestamp.seconds) * 1000 + Math.ceil(timestamp.nanos / 1_000_000);
