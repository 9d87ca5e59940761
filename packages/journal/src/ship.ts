import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ProveResponse, Refusal, type ShipRequestSchema, type ShipResponse } from "@sallyport/contracts";
import type { Entry } from "./entry.ts";
import type { Journal } from "./journal.ts";
import { isProven } from "./proven.ts";

type ShipMessage = MessageInitShape<typeof ShipRequestSchema>;

/** The part of `JournalService`'s client that shipping needs. */
export interface JournalClient {
  ship(requests: AsyncIterable<ShipMessage>, options?: { signal?: AbortSignal }): AsyncIterable<ShipResponse>;
  prove(request: { logIndex: bigint }, options?: { signal?: AbortSignal; timeoutMs?: number }): Promise<ProveResponse>;
}

export interface ShipOptions {
  /**
   * Raw Ed25519 public key of the checkpoints by which the audit service proves what it holds; without it they may be signed by
   * anybody, and the audit service is trusted for who it is.
   */
  checkpointKey?: Uint8Array | undefined;
  log?: Record<"warn" | "info" | "debug", (facts: object, sentence: string) => void> | undefined;
  /** Milliseconds without an answer to what was sent, after which the stream is opened anew; 15,000. */
  answerMs?: number | undefined;
}

/** A journal on its way into the evidence log. */
export interface Shipping {
  /** Every entry up to here is in the evidence log. */
  readonly loggedSequence: bigint;
  /** Every entry up to here is acknowledged by Kafka, or logged where there is none. */
  readonly publishedSequence: bigint;
  /** Whether the audit service answers. */
  readonly connected: boolean;
  /**
   * Resolves once an entry is published.
   * @throws Refusal AUDIT_UNAVAILABLE when it is not within so many milliseconds
   */
  published(sequence: bigint, timeoutMs: number): Promise<void>;
  /** Ends the stream. What was not acknowledged is shipped by the next start. */
  stop(): Promise<void>;
}

/** Entries on the way and not acknowledged, bytes at most. */
const windowBytes = 8 * 1024 * 1024;
const batchBytes = 1024 * 1024;
/** Milliseconds for a proof; it is asked for again with the next answer. */
const proofMs = 10_000;
/** Milliseconds that entries wait for others to be shipped with, where nobody waits for their being published. */
const gatherMs = 50;
/** Entries that wait for no others. */
const gatherEntries = 500n;

/** Ships a journal's entries in order until it is stopped; starts again wherever the audit service says. */
export function ship(journal: Journal, client: JournalClient, options: ShipOptions = {}): Shipping {
  return new Shipper(journal, client, options);
}

class Shipper implements Shipping {
  readonly #journal: Journal;
  readonly #client: JournalClient;
  readonly #options: ShipOptions;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #wake = Promise.withResolvers<void>();
  /** How many wait until an entry is published, and told when one begins to. */
  #waiting = 0;
  #hurry = () => {};
  #releasing: Promise<void> | undefined;
  loggedSequence = 0n;
  publishedSequence = 0n;
  connected = false;

  constructor(journal: Journal, client: JournalClient, options: ShipOptions) {
    this.#journal = journal;
    this.#client = client;
    this.#options = options;
    this.#running = this.#run();
  }

  async published(sequence: bigint, timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(resolve, timeoutMs, "late");
    });
    this.#waiting++;
    this.#hurry();
    try {
      while (this.publishedSequence < sequence) {
        if ((await Promise.race([this.#wake.promise, late])) === "late" || this.#stopped.signal.aborted) {
          throw new Refusal("AUDIT_UNAVAILABLE", "Kafka did not acknowledge the record in time, and the evidence mode is strict.", {
            retryAfterMs: 1000,
          });
        }
      }
    } finally {
      this.#waiting--;
      clearTimeout(timer);
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#woken();
    await this.#running;
    await this.#releasing;
  }

  async #run(): Promise<void> {
    let pauseMs = 50;
    while (!this.#stopped.signal.aborted) {
      const startedWith = this.loggedSequence;
      try {
        await this.#stream();
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        // Services start side by side: that the audit writer is a little later than another is nothing to warn of.
        const level = pauseMs < 1000 ? "debug" : "warn";
        this.#options.log?.[level]({ err: error, journal: this.#journal.id }, "the journal is not being shipped; trying again");
      }
      this.connected = false;
      pauseMs = this.loggedSequence > startedWith ? 50 : Math.min(pauseMs * 2, 2000);
      await pause(pauseMs * (0.5 + Math.random() / 2), this.#stopped.signal);
    }
  }

  /** One stream, from its head to its end. */
  async #stream(): Promise<void> {
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, this.#stopped.signal]);
    const resumed = Promise.withResolvers<bigint | undefined>();
    const answer = new AnswerTimer(this.#options.answerMs ?? 15_000, () => ended.abort(new Error("the audit service does not answer")));
    const flight = new Flight();
    try {
      answer.expect();
      for await (const response of this.#client.ship(this.#requests(resumed.promise, flight, answer, signal), { signal })) {
        answer.arrived();
        if (!this.connected) {
          this.#resume(response.loggedSequence);
          this.connected = true;
        }
        this.#acknowledged(response);
        flight.acknowledged(response.loggedSequence);
        if (flight.bytes > 0) answer.expect();
        resumed.resolve(response.loggedSequence);
      }
      signal.throwIfAborted();
    } finally {
      answer.arrived();
      ended.abort();
      resumed.resolve(undefined);
    }
  }

  async *#requests(
    resumed: Promise<bigint | undefined>,
    flight: Flight,
    answer: AnswerTimer,
    signal: AbortSignal,
  ): AsyncGenerator<ShipMessage> {
    yield { part: { case: "head", value: { journalId: this.#journal.id, bootKey: this.#journal.bootKey } } };
    let after = await resumed;
    if (after === undefined) return;
    let first = true;
    while (!signal.aborted) {
      if (flight.bytes > windowBytes) {
        await Promise.race([this.#wake.promise, aborted(signal)]);
        continue;
      }
      const entries = await this.#journal.read(after, batchBytes);
      const last = entries.at(-1);
      if (last === undefined) {
        if (this.#journal.closed) return;
        await this.#journal.waitForMore(after, signal);
        await this.#gather(after, signal);
        continue;
      }
      flight.sent(entries);
      answer.expect();
      yield {
        part: {
          case: "entries",
          value: { entries: entries.map((entry, at) => entryMessage(entry, first && at === 0 ? this.#journal : undefined)) },
        },
      };
      first = false;
      after = last.sequence;
      await this.#gather(after, signal);
    }
  }

  /** Each message costs a signature to check, a checkpoint and its syncs, however many entries are in it. */
  async #gather(after: bigint, signal: AbortSignal): Promise<void> {
    const enough = this.#journal.last - after >= gatherEntries;
    if (enough || this.#waiting > 0 || this.#journal.closed || signal.aborted) return;
    const hurried = new AbortController();
    this.#hurry = () => hurried.abort();
    await pause(gatherMs, AbortSignal.any([hurried.signal, signal]));
  }

  /** What the log holds and what the journal holds must fit together, or evidence would be lost without a trace. */
  #resume(logged: bigint): void {
    const { first, last, id } = this.#journal;
    if (logged > last) {
      this.#journal.fail(
        `The evidence log holds entry ${logged} of journal ${id}, which ends at ${last}: the journal's folder was set back. Move it away and restart.`,
      );
    } else if (logged + 1n < first) {
      this.#journal.fail(
        `The evidence log ends at entry ${logged} of journal ${id}, which begins at ${first}: acknowledged evidence is missing from the log. Restore it, or move the journal's folder away to begin a new one.`,
      );
    } else return;
    throw this.#journal.failure;
  }

  #acknowledged(response: ShipResponse): void {
    this.loggedSequence = response.loggedSequence;
    if (response.publishedSequence > this.publishedSequence) this.publishedSequence = response.publishedSequence;
    if (this.#journal.canRelease(response.loggedSequence)) this.#releasing ??= this.#release(response);
    this.#woken();
  }

  /**
   * Segments go only once the log has proven that it holds the last entry of what is acknowledged. That it holds those before it
   * follows: whoever verifies the log sees where a journal's sequence numbers have a gap.
   */
  async #release({ loggedSequence, logIndex }: ShipResponse): Promise<void> {
    try {
      const [entry] = await this.#journal.read(loggedSequence - 1n, 1);
      const proof = await this.#client.prove({ logIndex }, { signal: this.#stopped.signal, timeoutMs: proofMs });
      if (entry?.sequence !== loggedSequence || !isProven(entry.record, logIndex, proof, this.#options.checkpointKey))
        throw new Error(`the evidence log does not prove that it holds entry ${loggedSequence}; the journal keeps it`);
      this.#journal.release(loggedSequence);
    } catch (error) {
      if (!this.#stopped.signal.aborted)
        this.#options.log?.warn({ err: error, journal: this.#journal.id }, "nothing of the journal is let go of");
    } finally {
      this.#releasing = undefined;
    }
  }

  #woken(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

/** What is on its way and not acknowledged. */
class Flight {
  readonly #sent: { last: bigint; bytes: number }[] = [];
  bytes = 0;

  sent(entries: Entry[]): void {
    const bytes = entries.reduce((sum, { record }) => sum + record.length, 0);
    this.#sent.push({ last: (entries.at(-1) as Entry).sequence, bytes });
    this.bytes += bytes;
  }

  acknowledged(sequence: bigint): void {
    while (this.#sent[0] !== undefined && this.#sent[0].last <= sequence) this.bytes -= (this.#sent.shift() as { bytes: number }).bytes;
  }
}

class AnswerTimer {
  readonly #ms: number;
  readonly #late: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, late: () => void) {
    this.#ms = ms;
    this.#late = late;
  }

  expect(): void {
    this.#timer ??= setTimeout(this.#late, this.#ms).unref();
  }

  arrived(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

const empty = new Uint8Array();

/** @param announce the journal whose boot key goes with the first entry of a stream */
const entryMessage = (entry: Entry, announce: Journal | undefined) => ({
  sequence: entry.sequence,
  record: entry.record,
  traceparent: entry.traceparent,
  chain: entry.chain,
  signature: entry.signature ?? empty,
  bootKey: entry.bootKey ?? announce?.keyOf(entry.sequence) ?? empty,
});

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true })));

/** Until then, or until told to stop. */
const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => undefined);
