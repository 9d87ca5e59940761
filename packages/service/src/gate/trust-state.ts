import type { FollowResponse } from "@sallyport/contracts";
import { CredentialKeys, RevocationSet } from "@sallyport/identity";

/** Milliseconds, from the moment of asking, that an answer of authn's is good for. */
export const leaseMs = 700;

/** Most questions that may wait for an answer; older ones are given up. */
const maxOpenQuestions = 32;

/** Whether effects may begin; if not, `why` completes "no word from authn that holds: …". */
export type Lease = { readonly held: true } | { readonly held: false; readonly why: string };

/** What changed by an answer. */
export interface News {
  /** Something may be dead that lived before: a revocation, or a new epoch. */
  readonly revoked: boolean;
  /** The certificates that issue agents' certificates are others. */
  readonly agentCa: boolean;
}

/**
 * What this replica knows of who may still act, and until when that knowledge counts. Pure: the times come from outside.
 *
 * The lease runs from the moment a question was *asked*, so that an answer which lay in a buffer, or waited for a stopped
 * process, buys no time. It is given only by an answer that leaves nothing in doubt: of the generation that is known, or of
 * a new one that comes with a higher epoch; with every revocation since the last; with keys that can be read.
 */
export class TrustState {
  generation: string | undefined;
  /** Credentials of any other epoch are dead; -1 until authn was heard. */
  epoch = -1;
  keys: CredentialKeys | undefined;
  agentCaPem: string | undefined;
  revocations = new RevocationSet();
  readonly #questions = new Map<bigint, { askedAt: number; after: bigint }>();
  #lastQuestion = 0n;
  #leaseUntil = Number.NEGATIVE_INFINITY;
  #why = "it has not answered yet";
  /** Set when the state went back: nothing counts until authn has raised the epoch above this. */
  #distrusted: { readonly epoch: number; readonly why: string } | undefined;

  /** The next question. @param monotonic milliseconds, now */
  ask(monotonic: number): { question: bigint; afterSequence: bigint } {
    this.#lastQuestion += 1n;
    const after = this.revocations.lastSequence;
    this.#questions.set(this.#lastQuestion, { askedAt: monotonic, after });
    if (this.#questions.size > maxOpenQuestions) this.#questions.delete(this.#questions.keys().next().value as bigint);
    return { question: this.#lastQuestion, afterSequence: after };
  }

  /** The stream is gone: what was asked on it will not be answered. A lease that is held runs out by itself. */
  disconnected(): void {
    this.#questions.clear();
  }

  lease(monotonic: number): Lease {
    return monotonic < this.#leaseUntil ? { held: true } : { held: false, why: this.#why };
  }

  /** When the lease ends, monotonic milliseconds. */
  get leaseUntil(): number {
    return this.#leaseUntil;
  }

  /** Takes in an answer or a push. */
  hear(response: FollowResponse): News {
    const { epoch, agentCaPem } = this;
    const doubt = this.#judge(response);
    if (doubt === undefined) {
      this.#renew(response.question);
    } else {
      this.#leaseUntil = Number.NEGATIVE_INFINITY;
      this.#why = doubt;
    }
    return { revoked: this.epoch !== epoch || response.revocations.length > 0, agentCa: this.agentCaPem !== agentCaPem };
  }

  /** Takes in what can be believed; what cannot comes back, and ends the lease. */
  #judge(response: FollowResponse): string | undefined {
    if (response.stateUnavailable) return "it cannot vouch for its state";
    // Keys first: authn tells them once a stream, so they are not lost with an answer that is doubted for its state.
    const doubtfulKeys = this.#takeKeys(response);
    return this.#takeEpoch(response.generation, Number(response.epoch)) ?? this.#takeRevocations(response) ?? doubtfulKeys;
  }

  #takeKeys({ jwks, agentCaPem }: FollowResponse): string | undefined {
    if (agentCaPem !== "") this.agentCaPem = agentCaPem;
    try {
      if (jwks !== "") this.keys = CredentialKeys.parse(jwks);
    } catch {
      return "its keys cannot be read";
    }
    return this.keys === undefined ? "it has told no keys" : undefined;
  }

  #takeEpoch(generation: string, epoch: number): string | undefined {
    if (generation === "" || !Number.isSafeInteger(epoch)) return "its answer names no generation or epoch";
    if (this.generation !== undefined && generation !== this.generation) return this.#takeGeneration(generation, epoch);
    if (epoch < this.epoch) return this.#distrust("its epoch went back");
    this.generation = generation;
    this.epoch = epoch;
    if (this.#distrusted !== undefined && epoch <= this.#distrusted.epoch) return this.#distrusted.why;
    this.#distrusted = undefined;
    return undefined;
  }

  /** The state was lost or replaced. With a higher epoch every older credential is dead, so older revocations are not missed. */
  #takeGeneration(generation: string, epoch: number): string {
    if (epoch <= this.epoch) return this.#distrust("its state was lost, and everything issued before it is not revoked yet");
    this.generation = generation;
    this.epoch = epoch;
    this.#distrusted = undefined;
    this.revocations = new RevocationSet();
    // What was asked so far was asked about the old log.
    this.#questions.clear();
    return "its state was replaced, and has to be asked for anew";
  }

  #takeRevocations(response: FollowResponse): string | undefined {
    const after = this.#questions.get(response.question)?.after;
    let doubt: string | undefined;
    // Authn may tell again what was told before, as on a new stream; but its log never ends before where it ended.
    const last = response.revocations.at(-1);
    // What is forgotten is over, and was no loss to a replica that never heard of it.
    this.revocations.forgetThrough(response.forgottenThrough);
    if (after !== undefined && last !== undefined && last.sequence < after) return this.#distrust("its revocations went back");
    for (const revocation of response.revocations) {
      const applied = this.revocations.apply(revocation);
      // A push may overtake an answer that fills the gap; an answer must leave none.
      if (applied === "gap" && after !== undefined) doubt = "a revocation is missing";
      if (applied === "unknown-subject") doubt = "it revokes something that this version does not know; upgrade this service";
    }
    return doubt;
  }

  #renew(question: bigint): void {
    const asked = this.#questions.get(question);
    if (asked === undefined) return;
    for (const earlier of this.#questions.keys()) if (earlier <= question) this.#questions.delete(earlier);
    this.#leaseUntil = Math.max(this.#leaseUntil, asked.askedAt + leaseMs);
    this.#why = "it has not answered in time";
  }

  #distrust(why: string): string {
    this.#distrusted = { epoch: this.epoch, why };
    return why;
  }
}
