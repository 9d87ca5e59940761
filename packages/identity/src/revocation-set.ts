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
 * Everything that was revoked, as authn's feed tells it; the same set on every replica. It grows by a few bytes a revocation
 * and keeps, per subject, only the latest time, so it needs no sweeping. Session starts and issue times are whole seconds,
 * rounded down; comparing them with a revocation's milliseconds errs towards dead, by less than a second.
 */
export class RevocationSet {
  readonly #sessions = new Set<string>();
  readonly #principals = new Map<string, number>();
  readonly #agents = new Map<string, number>();
  readonly #providers = new Map<string, number>();
  readonly #narrowed = new Map<string, number>();
  #startedBefore = Number.NEGATIVE_INFINITY;
  #lastSequence = 0n;

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

  #revokesLink(link: Link, start: number, hasDescendant: boolean, issuedAt: number): RevokedBy | undefined {
    if (this.#sessions.has(link.sid)) return "session";
    if (link.kind === "agent" && start < at(this.#agents, link.id)) return "agent";
    if (hasDescendant && issuedAt <= at(this.#narrowed, link.sid)) return "narrowed";
    return undefined;
  }

  #add(revocation: Revocation): boolean {
    const { subject } = revocation;
    // A revocation without a time reaches as far as it can, not as little.
    const when = revocation.at === undefined ? Number.POSITIVE_INFINITY : milliseconds(revocation.at);
    switch (subject.case) {
      case "sessionId":
        this.#sessions.add(subject.value);
        return true;
      case "principal":
        raise(this.#principals, subject.value, when);
        return true;
      case "provider":
        raise(this.#providers, subject.value, when);
        return true;
      case "agent":
        raise(this.#agents, subject.value, when);
        return true;
      case "narrowedSessionId":
        raise(this.#narrowed, subject.value, when);
        return true;
      case "startedBefore":
        this.#startedBefore = Math.max(this.#startedBefore, milliseconds(subject.value));
        return true;
      default:
        return false;
    }
  }
}

const at = (times: ReadonlyMap<string, number>, name: string) => times.get(name) ?? Number.NEGATIVE_INFINITY;

function raise(times: Map<string, number>, name: string, when: number): void {
  times.set(name, Math.max(at(times, name), when));
}

/** Rounded up, as an earlier time would revoke less. */
const milliseconds = (timestamp: Timestamp) => Number(timestamp.seconds) * 1000 + Math.ceil(timestamp.nanos / 1_000_000);
