import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FollowRequest, FollowResponseSchema } from "@sallyport/contracts";
import type { EpochGuardian } from "../epoch/guardian.ts";
import type { RevocationLog } from "../revocation/revocation-log.ts";

type Answer = MessageInitShape<typeof FollowResponseSchema>;

/** Most revocations in one message: some hundred kilobytes. */
const maxPerMessage = 2000;

export interface FeedSources {
  readonly revocations: RevocationLog;
  readonly guardian: Pick<EpochGuardian, "current" | "look">;
  /** JWK Set of the keys that sign credentials, as it is now. */
  readonly jwks: () => string;
  /** Certificate that issues agents' client certificates. */
  readonly agentCaPem: string;
}

/**
 * What every replica must know before it lets anything happen, and the lease on it. A question is answered only by a read of
 * the shared log that began after the question arrived; of several that wait, only the newest is answered. What a read finds
 * is pushed to every stream at once, without waiting to be asked.
 */
export class Feed {
  readonly #sources: FeedSources;
  readonly #perMessage: number;

  constructor(sources: FeedSources, perMessage = maxPerMessage) {
    this.#sources = sources;
    this.#perMessage = perMessage;
  }

  async *follow(questions: AsyncIterable<FollowRequest>, signal: AbortSignal): AsyncIterable<Answer> {
    const inbox = new Inbox(questions, signal);
    const stopListening = this.#sources.revocations.onGrowth(() => inbox.grew());
    const sent: Sent = { generation: "", upTo: 0, jwks: "" };
    try {
      for (let next = await inbox.next(); next !== "ended"; next = await inbox.next()) {
        if (next === "grown") yield* this.#push(sent);
        else yield* this.#answer(next, sent);
      }
    } finally {
      stopListening();
    }
  }

  async *#answer({ question, afterSequence }: FollowRequest, sent: Sent): AsyncIterable<Answer> {
    const generation = await this.#readToEnd();
    if (generation === undefined) {
      yield { question, stateUnavailable: true };
      return;
    }
    const { revocations, guardian, jwks, agentCaPem } = this.#sources;
    const { epoch } = guardian.current;
    const known = jwks();
    const news = { ...(sent.generation === "" ? { agentCaPem } : {}), ...(sent.jwks === known ? {} : { jwks: known }) };
    const head = { generation, epoch: BigInt(epoch), forgottenThrough: BigInt(revocations.forgottenThrough), ...news };
    sent.jwks = known;
    sent.upTo = Math.max(Number(afterSequence), revocations.forgottenThrough);
    sent.generation = generation;
    while (revocations.newest - sent.upTo > this.#perMessage) yield { ...head, revocations: this.#take(sent) };
    yield { ...head, question, revocations: this.#take(sent) };
  }

  *#push(sent: Sent): Iterable<Answer> {
    const { revocations, guardian } = this.#sources;
    // Nothing is pushed before the first answer, nor across a change of generation: the next answer tells it all.
    if (sent.generation === "" || sent.generation !== generationOf(guardian)) return;
    const { generation, epoch } = guardian.current;
    sent.upTo = Math.max(sent.upTo, revocations.forgottenThrough);
    const head = { generation, epoch: BigInt(epoch), forgottenThrough: BigInt(revocations.forgottenThrough) };
    while (revocations.newest > sent.upTo) yield { ...head, revocations: this.#take(sent) };
  }

  #take(sent: Sent) {
    const taken = this.#sources.revocations.after(sent.upTo, this.#perMessage);
    sent.upTo += taken.length;
    return [...taken];
  }

  /** The generation whose log was read from before to after; undefined where authn cannot vouch for its state. */
  async #readToEnd(): Promise<string | undefined> {
    const { revocations, guardian } = this.#sources;
    const before = generationOf(guardian);
    try {
      await revocations.readToEnd();
    } catch {
      void guardian.look().catch(() => undefined);
      return undefined;
    }
    return before === generationOf(guardian) ? before : undefined;
  }
}

interface Sent {
  generation: string;
  upTo: number;
  jwks: string;
}

function generationOf(guardian: Pick<EpochGuardian, "current">): string | undefined {
  try {
    return guardian.current.generation;
  } catch {
    return undefined;
  }
}

/** What a stream waits for: the newest question, growth of the log, or its end. */
class Inbox {
  #question: FollowRequest | undefined;
  #grown = false;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(questions: AsyncIterable<FollowRequest>, signal: AbortSignal) {
    signal.addEventListener("abort", () => this.#end(), { once: true });
    if (signal.aborted) this.#end();
    void this.#receive(questions)
      .catch(() => undefined)
      .finally(() => this.#end());
  }

  grew(): void {
    this.#grown = true;
    this.#wake();
  }

  async next(): Promise<FollowRequest | "grown" | "ended"> {
    for (;;) {
      if (this.#question !== undefined) {
        const question = this.#question;
        this.#question = undefined;
        this.#grown = false;
        return question;
      }
      if (this.#ended) return "ended";
      if (this.#grown) {
        this.#grown = false;
        return "grown";
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #receive(questions: AsyncIterable<FollowRequest>): Promise<void> {
    for await (const question of questions) {
      this.#question = question;
      this.#wake();
    }
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }
}
