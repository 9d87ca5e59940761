import type { Meter } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import { type Draft, type Envelope, evidenceRecord, unknownOutcome } from "@sallyport/evidence";
import type { Clock } from "./clock.ts";
import { Flood } from "./flood.ts";
import { Journal, maxOutcomeBytes, type Worth } from "./journal.ts";
import { JournalMetrics } from "./journal-metrics.ts";
import { type JournalClient, type ShipOptions, type Shipping, ship } from "./ship.ts";

/** An effect that was announced and has not ended yet. */
export interface Intent {
  /** `metadata.uid` of the intent: what a caller is told as the event's uid. */
  readonly uid: string;
  /**
   * Records how the effect ended; call it exactly once, whatever happens. Resolves once durable.
   * @throws Refusal AUDIT_UNAVAILABLE: the intent stays open, and the next start records `UNKNOWN`
   */
  outcome(draft: Draft): Promise<string>;
}

export interface EvidenceWriterOptions {
  /** The journal's folder. */
  dir: string;
  /** The service that writes. */
  service: string;
  /** The product's version. */
  version: string;
  clock: Clock;
  /** `strict` also waits until Kafka has an intent or event; outcomes follow by themselves. */
  mode: "journal" | "strict";
  /** The audit service. Left out: nothing is shipped, and `strict` refuses everything. */
  client?: JournalClient | undefined;
  maxBytes?: number | undefined;
  reserveBytes?: number | undefined;
  /** Raw Ed25519 public key of the audit service's checkpoints, see {@link ShipOptions}. */
  checkpointKey?: ShipOptions["checkpointKey"];
  log?: ShipOptions["log"];
  /** Where the journal's gauges go. */
  meter?: Meter | undefined;
  /** In strict mode: milliseconds to wait for Kafka; 5,000. */
  publishMs?: number | undefined;
  /** Milliseconds between records that sum up floods of refusals; 10,000. */
  floodMs?: number | undefined;
}

/** How a service writes evidence: every effect's intent first, its outcome after, refusals within bounds. */
export class EvidenceWriter {
  readonly journal: Journal;
  readonly shipping: Shipping | undefined;
  readonly #options: EvidenceWriterOptions;
  readonly #flood = new Flood();
  readonly #timer: NodeJS.Timeout;
  readonly #metrics: JournalMetrics | undefined;
  /** Strict mode: the oldest record that was not published when it was last looked at, and since when (monotonic) it waits. */
  #oldest: { sequence: bigint; since: number } | undefined;

  /** Opens the journal and begins to ship it. @throws Refusal AUDIT_UNAVAILABLE, see {@link Journal.open} */
  static async open(options: EvidenceWriterOptions): Promise<EvidenceWriter> {
    return new EvidenceWriter(options, await Journal.open(options));
  }

  private constructor(options: EvidenceWriterOptions, journal: Journal) {
    this.#options = options;
    this.journal = journal;
    this.shipping = options.client && ship(journal, options.client, options);
    const { meter, service, clock } = options;
    this.#metrics = meter && new JournalMetrics(meter, service, journal, this.shipping, () => clock.monotonic());
    this.#timer = setInterval(() => void this.#sumUp(), options.floodMs ?? 10_000).unref();
  }

  /**
   * Records an event that has no effect outside, or whose effect waits for this record. Resolves once durable (strict:
   * published) with its uid.
   * @throws Refusal AUDIT_UNAVAILABLE: do not go on
   */
  async record(draft: Draft): Promise<string> {
    this.#assertNotStalled();
    const { uid, sequence } = await this.#append(draft, "event");
    await this.#published(sequence);
    return uid;
  }

  /**
   * Announces an effect. Only once this resolves may the effect begin.
   * @throws Refusal AUDIT_UNAVAILABLE: the effect must not begin
   */
  async intent(draft: Draft): Promise<Intent> {
    this.#assertNotStalled();
    const { uid, sequence } = await this.#append(draft, "intent");
    const intent = this.#intentOf(uid, draft);
    try {
      await this.#published(sequence);
    } catch (error) {
      const facts = {
        ...draft.facts,
        status: "failure",
        reason: "AUDIT_UNAVAILABLE",
        sentence: "Kafka did not acknowledge the intent, so nothing was done.",
      } as const;
      await intent.outcome({ ...draft, facts });
      throw error;
    }
    return intent;
  }

  /**
   * Records that a caller was refused. Never throws, as the refusal stands either way: what is over the bound, or finds no
   * room, is counted, and summed up in one record later.
   * @returns the record's uid where it got one of its own
   */
  async refusal(draft: Draft): Promise<string | undefined> {
    const now = this.#options.clock.now();
    if (this.#flood.admits(draft, now)) {
      try {
        return (await this.#append(draft, "event", { worth: "noise" })).uid;
      } catch {
        // Counted below, and recorded once there is room.
      }
    }
    this.#flood.count(draft, now);
    return undefined;
  }

  /**
   * Gives every intent that an earlier boot left open the outcome `UNKNOWN`. Call once at start, before the first effect.
   * @returns how many there were
   */
  async settleInterrupted(): Promise<number> {
    const open = this.journal.openIntents();
    await Promise.all(
      open.map(({ uid, record, traceparent }) => this.#append(unknownOutcome(record, traceparent), "outcome", { intentUid: uid })),
    );
    return open.length;
  }

  /** Why evidence cannot be written now, or undefined. For health checks. */
  get failure(): Refusal | undefined {
    return this.journal.failure ?? this.journal.shortage ?? this.#stalled;
  }

  /** Sums up what was counted, gives shipping a moment to finish, and closes the journal. */
  async stop(drainMs = 2000): Promise<void> {
    clearInterval(this.#timer);
    await this.#sumUp();
    const { shipping, journal } = this;
    if (shipping?.connected === true) {
      const until = this.#options.clock.monotonic() + drainMs;
      while (shipping.loggedSequence < journal.last && this.#options.clock.monotonic() < until)
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await shipping?.stop();
    await journal.close();
  }

  #intentOf(uid: string, announced: Draft): Intent {
    let ended: Promise<string> | undefined;
    return {
      uid,
      outcome: (draft) => {
        if (ended !== undefined) throw new Error(`intent ${uid} (${announced.facts.event}) has an outcome already`);
        ended = this.#append(draft, "outcome", { intentUid: uid }).then((appended) => appended.uid);
        return ended;
      },
    };
  }

  async #append(draft: Draft, phase: Envelope["phase"], options: { intentUid?: string; worth?: Worth } = {}) {
    const { service, version, clock } = this.#options;
    const maxBytes = phase === "outcome" ? maxOutcomeBytes : undefined;
    const record = evidenceRecord(draft, { service, version, time: clock.now(), phase, intentUid: options.intentUid, maxBytes });
    const since = clock.monotonic();
    const appended = await this.journal.append(record, { worth: options.worth });
    this.#metrics?.appended(appended.sequence, since);
    if (this.#oldestIsPublished()) this.#oldest = { sequence: appended.sequence, since };
    return appended;
  }

  async #published(sequence: bigint): Promise<void> {
    if (this.#options.mode !== "strict") return;
    if (this.shipping === undefined)
      throw new Refusal("AUDIT_UNAVAILABLE", "The evidence mode is strict, and no audit service is configured.");
    await this.shipping.published(sequence, this.#publishMs);
  }

  get #publishMs(): number {
    return this.#options.publishMs ?? 5000;
  }

  #oldestIsPublished(): boolean {
    return this.#oldest === undefined || (this.shipping?.publishedSequence ?? 0n) >= this.#oldest.sequence;
  }

  #assertNotStalled(): void {
    const stalled = this.#stalled;
    if (stalled !== undefined) throw stalled;
  }

  /** While Kafka stands still, strict mode refuses at once: what waits in the journal shows by itself when it moves again. */
  get #stalled(): Refusal | undefined {
    if (this.#options.mode !== "strict" || this.#oldest === undefined || this.#oldestIsPublished()) return undefined;
    if (this.#options.clock.monotonic() - this.#oldest.since < this.#publishMs) return undefined;
    return new Refusal("AUDIT_UNAVAILABLE", "Kafka does not acknowledge records, and the evidence mode is strict, so nothing is done.", {
      retryAfterMs: 1000,
    });
  }

  async #sumUp(): Promise<void> {
    for (const { draft, count, firstAt, lastAt } of this.#flood.take()) {
      const summary: Draft = { ...draft, facts: { ...draft.facts, aggregated: { count, firstAt, lastAt } } };
      await this.#append(summary, "event", { worth: "noise" }).catch(() => {
        this.#flood.count(draft, lastAt, { count, firstAt });
      });
    }
  }
}
