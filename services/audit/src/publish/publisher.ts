import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import type { Clock } from "@sallyport/service";
import type { EvidenceLog } from "../log/evidence-log.ts";
import { keepCursor, readCursor } from "./cursor.ts";
import { outgoing } from "./outgoing.ts";
import type { Published } from "./published.ts";
import type { OpenSink, Sink } from "./sink.ts";

export interface PublisherOptions {
  log: EvidenceLog;
  openSink: OpenSink;
  /** The file that keeps how far it came. */
  cursorPath: string;
  topic: string;
  /** Bytes that may be logged and not published before nothing more is taken in. */
  backlogMaxBytes: number;
  clock: Clock;
  logger: { warn(facts: object, sentence: string): void; info(facts: object, sentence: string): void };
  /** Milliseconds that one send may take before the sink is given up; 15,000. */
  sendMs?: number | undefined;
}

/** Bytes in one send. */
const sendBytes = 512 * 1024;
const checkpointEveryMs = 1000;

/**
 * Sends the log to Kafka, in order, one send at a time, from where it left off. A send that fails, or takes too long, costs
 * the sink: a fresh one goes on from the last acknowledgement, so records may be sent twice and are never left out.
 */
export class Publisher implements Published {
  readonly #options: PublisherOptions;
  readonly #stopped = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #running: Promise<void>;
  #size: number;
  #checkpointAt = Number.NEGATIVE_INFINITY;
  #checkpointSent = "";
  #failing: { since: number; why: string } | undefined;
  #backlog = { size: -1, bytes: 0 };

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { log, cursorPath, topic } = options;
    this.#size = Math.min(readCursor(cursorPath, log.origin, topic), log.size);
    this.#running = this.#run();
  }

  get size(): number {
    return this.#size;
  }

  /** Logged and not published, bytes. */
  get backlogBytes(): number {
    if (this.#backlog.size !== this.#options.log.size + this.#size) {
      this.#backlog = { size: this.#options.log.size + this.#size, bytes: this.#options.log.bytesFrom(this.#size) };
    }
    return this.#backlog.bytes;
  }

  /** Since when nothing could be sent (monotonic milliseconds), and why; undefined while all is well. */
  get failing(): { readonly since: number; readonly why: string } | undefined {
    return this.#failing;
  }

  async room(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#stopped.signal.aborted && this.backlogBytes >= this.#options.backlogMaxBytes) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const unsubscribe = this.onChange(resolve);
      const wake = () => resolve();
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      unsubscribe();
      signal.removeEventListener("abort", wake);
    }
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends what is left, for at most so many milliseconds, and lets go. */
  async stop(drainMs = 3000): Promise<void> {
    const until = this.#options.clock.monotonic() + drainMs;
    while (this.#failing === undefined && !this.#caughtUp() && this.#options.clock.monotonic() < until) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#stopped.abort(new Error("stopping"));
    this.#tell();
    await this.#running;
  }

  #caughtUp(): boolean {
    const { log } = this.#options;
    return this.#size >= log.size && this.#checkpointSent === log.checkpoint;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    let pauseMs = 100;
    while (!signal.aborted) {
      let sink: Sink | undefined;
      const from = this.#size;
      try {
        sink = await within(this.#options.openSink(signal), this.#sendMs, signal, (late) => void late.close());
        await this.#send(sink, signal);
      } catch (error) {
        if (!signal.aborted) this.#failed(error);
      } finally {
        await sink?.close().catch(() => {});
      }
      pauseMs = this.#size > from ? 100 : Math.min(pauseMs * 2, 5000);
      if (!signal.aborted) await pause(pauseMs * (0.5 + Math.random() / 2), signal);
    }
  }

  get #sendMs(): number {
    return this.#options.sendMs ?? 15_000;
  }

  async #send(sink: Sink, signal: AbortSignal): Promise<void> {
    const { log, clock } = this.#options;
    while (!signal.aborted) {
      const records = log.read(this.#size, sendBytes).map((bytes, at) => outgoing(bytes, this.#size + at));
      if (records.length > 0) {
        await within(sink.send(records), this.#sendMs, signal);
        this.#size += records.length;
        keepCursor(this.#options.cursorPath, { origin: log.origin, topic: this.#options.topic, size: this.#size });
        this.#recovered();
        this.#tell();
      }
      const { checkpoint } = log;
      if (checkpoint !== this.#checkpointSent && clock.monotonic() - this.#checkpointAt >= checkpointEveryMs && this.#size >= log.size) {
        this.#checkpointAt = clock.monotonic();
        await within(sink.sendCheckpoint(checkpoint), this.#sendMs, signal);
        this.#checkpointSent = checkpoint;
        this.#recovered();
      }
      if (records.length > 0) continue;
      const left = this.#caughtUp() ? undefined : Math.max(1, checkpointEveryMs - (clock.monotonic() - this.#checkpointAt));
      await log.waitForMore(this.#size, left === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(left))]));
    }
  }

  #failed(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (this.#failing === undefined) this.#options.logger.warn({ err: error }, "evidence does not reach Kafka; it is kept and sent later");
    this.#failing ??= { since: this.#options.clock.monotonic(), why };
  }

  #recovered(): void {
    if (this.#failing !== undefined) this.#options.logger.info({}, "evidence reaches Kafka again");
    this.#failing = undefined;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** What the work gives, unless it takes too long or the signal is aborted first. @param late what to do with a result that nobody waits for */
async function within<T>(work: Promise<T>, ms: number, signal: AbortSignal, late?: (result: T) => void): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Refusal("AUDIT_UNAVAILABLE", `Kafka did not answer within ${ms} ms.`)), ms);
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  let over = false;
  work.then(
    (result) => over && late?.(result),
    () => {},
  );
  try {
    signal.throwIfAborted();
    return await Promise.race([work, promise]);
  } finally {
    over = true;
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/** Until then, or until told to stop. */
const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => undefined);
