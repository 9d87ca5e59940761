import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { unlinkSync } from "node:fs";
import { open } from "node:fs/promises";
import { Refusal } from "@sallyport/contracts";
import { type EvidenceRecord, finalBytes } from "@sallyport/evidence";
import { AppendFile } from "./append-file.ts";
import type { Clock } from "./clock.ts";
import { syncFolder } from "./durable-file.ts";
import { chainValue, type Entry } from "./entry.ts";
import { identityOf, keepRemoved, removedOf } from "./folder.ts";
import { FolderLock } from "./folder-lock.ts";
import { decodeFrame, encodeFrame, frameOverhead } from "./frame.ts";
import { type OpenIntent, OpenIntents } from "./open-intents.ts";
import { type Boot, recover } from "./recover.ts";
import { hasRoom, isDiskFull, Reserve } from "./reserve.ts";
import { emptySegment, mark, type Segment } from "./segment.ts";

/**
 * What an entry is worth when room gets scarce. `outcome` may use the reserve; `event` (intents too) may not; `noise`, which
 * refused callers make, leaves a quarter of the room to the others.
 */
export type Worth = "outcome" | "event" | "noise";

export interface JournalOptions {
  /** The journal's folder; one journal each. */
  dir: string;
  /** Whose it is; part of the journal's id. */
  service: string;
  clock: Clock;
  /** The most that all segments hold, bytes; 1 GiB. */
  maxBytes?: number | undefined;
  /** Kept free for outcomes of effects that have begun, bytes; 16 MiB. */
  reserveBytes?: number | undefined;
}

export interface AppendOptions {
  /** W3C trace context of the call; the record's own where left out. */
  traceparent?: string | undefined;
  worth?: Worth | undefined;
}

/** The most that an outcome may hold, bytes, so that the reserve is enough for every effect that has begun. */
export const maxOutcomeBytes = 16 * 1024;

const maxBatchBytes = 1024 * 1024;
const maxSegmentBytes = 16 * 1024 * 1024;
const recentBytes = 4 * 1024 * 1024;
const refillEveryMs = 250;

interface Waiting {
  readonly record: EvidenceRecord;
  readonly traceparent: string;
  readonly worth: Worth;
  readonly resolve: (appended: { uid: string; sequence: bigint }) => void;
  readonly reject: (refusal: Refusal) => void;
}

interface Batch {
  readonly first: bigint;
  readonly entries: Entry[];
  readonly bytes: number;
}

/**
 * The durable local log that a service writes before it acts. Entries that arrive together are written and synced together
 * (group commit); an entry's promise resolves once it is on disk. One writer per folder; sequence numbers have no gaps; every
 * entry is chained to the one before by SHA-256 and every batch is signed by the key of this boot.
 */
export class Journal {
  /** Stable for the folder: `<service>-<random>`. */
  readonly id: string;
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #reserveBytes: number;
  readonly #segmentBytes: number;
  readonly #lock: FolderLock;
  readonly #reserve: Reserve;
  readonly #intents: OpenIntents;
  readonly #key: KeyObject;
  /** Raw Ed25519 public key of this boot. */
  readonly bootKey: Uint8Array;
  readonly #segments: Segment[];
  #file: AppendFile | undefined;
  #last: bigint;
  #chain: Uint8Array;
  readonly #boots: Boot[];
  #bootKeySent = false;
  /** Bytes past the durable ones may lie in the file and must go before the next write. */
  #dirty = false;
  #triedRefillAt = Number.NEGATIVE_INFINITY;
  #queue: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #recent: Batch[] = [];
  #recentBytes = 0;
  #durable: (() => void)[] = [];
  #closed = false;
  #failure: Refusal | undefined;
  /** An entry found no room, and none was written since. */
  #lacksRoom = false;

  /**
   * Opens or makes the journal of a folder.
   * @throws Refusal AUDIT_UNAVAILABLE where another process has it open, or acknowledged entries are missing or altered
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const lock = FolderLock.take(options.dir);
    if (lock === undefined) {
      throw new Refusal(
        "AUDIT_UNAVAILABLE",
        `Another process has the journal ${options.dir} open; stop it, or give this one a data folder of its own.`,
      );
    }
    try {
      return new Journal(options, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(options: JournalOptions, lock: FolderLock) {
    const { dir } = options;
    this.#dir = dir;
    this.#lock = lock;
    this.#clock = options.clock;
    this.#maxBytes = options.maxBytes ?? 1024 ** 3;
    this.#reserveBytes = Math.min(options.reserveBytes ?? 16 * 1024 ** 2, this.#maxBytes / 2);
    this.#segmentBytes = Math.min(maxSegmentBytes, Math.ceil(this.#maxBytes / 8));
    this.id = identityOf(dir, options.service);
    this.#intents = new OpenIntents(dir);
    this.#intents.load();
    const recovered = recover(dir, removedOf(dir), this.#intents);
    this.#segments = recovered.segments;
    this.#last = recovered.last;
    this.#chain = recovered.chain;
    this.#boots = recovered.boots;
    this.#reserve = new Reserve(dir, this.#reserveBytes);
    this.#reserve.refill();
    const keys = generateKeyPairSync("ed25519");
    this.#key = keys.privateKey;
    this.bootKey = Uint8Array.from(keys.publicKey.export({ format: "der", type: "spki" }).subarray(-32));
  }

  /** The last durable sequence; 0 while there is none. */
  get last(): bigint {
    return this.#last;
  }

  /** The first sequence that is still here. */
  get first(): bigint {
    return this.#segments[0]?.first ?? this.#last + 1n;
  }

  /** Bytes that its segments hold. */
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Bytes at which every entry but an outcome is refused; what lies above is kept for those. */
  get openBytes(): number {
    return this.#maxBytes - this.#reserveBytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The key that signed an entry, where it is known. */
  keyOf(sequence: bigint): Uint8Array | undefined {
    return this.#boots.findLast(({ from }) => from <= sequence)?.key;
  }

  /** Intents without an outcome, those of earlier boots included. */
  openIntents(): OpenIntent[] {
    return this.#intents.all();
  }

  /**
   * Appends a record; resolves once it is on disk.
   * @throws Refusal AUDIT_UNAVAILABLE where it cannot be: the bound is reached, the disk is full or failing, or it is closed
   */
  append(record: EvidenceRecord, options: AppendOptions = {}): Promise<{ uid: string; sequence: bigint }> {
    const worth = options.worth ?? (record.phase === "outcome" ? "outcome" : "event");
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Refusal("AUDIT_UNAVAILABLE", "The journal is closed; the service is stopping."));
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#queue.push({ record, traceparent: options.traceparent ?? record.traceparent, worth, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Whole batches after a sequence, oldest first, up to about so many bytes (at least one batch where there is one). */
  async read(after: bigint, maxBytes = maxBatchBytes): Promise<Entry[]> {
    if (after >= this.#last) return [];
    // From the end, where whoever follows the journal is.
    const recent = this.#recent.findLastIndex((batch) => batch.first <= after + 1n);
    if (this.#recent[recent]?.first === after + 1n) return takeBatches(this.#recent.slice(recent), maxBytes);
    return this.#readFile(after, maxBytes);
  }

  /** Resolves once an entry after that sequence is durable, or the signal is aborted, or the journal is closed. */
  async waitForMore(after: bigint, signal?: AbortSignal): Promise<void> {
    while (this.#last <= after && !this.#closed && signal?.aborted !== true) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      this.#durable.push(wake);
      signal?.addEventListener("abort", wake, { once: true });
      await promise;
      signal?.removeEventListener("abort", wake);
    }
  }

  /** Whether {@link release} would let go of anything. */
  canRelease(upTo: bigint): boolean {
    return this.#segments.length > 1 && (this.#segments[0] as Segment).last <= upTo;
  }

  /** Lets go of segments that lie wholly at or before a sequence which the evidence log was proven to hold. */
  release(upTo: bigint): void {
    const gone = this.#segments.slice(0, -1).filter((segment) => segment.last <= upTo);
    const last = gone.at(-1);
    if (last === undefined) return;
    this.#intents.carry(last.last);
    keepRemoved(this.#dir, { sequence: last.last, chain: last.chain, bootKey: this.keyOf(last.last) });
    for (const segment of gone) unlinkSync(segment.path);
    this.#segments.splice(0, gone.length);
  }

  /** Refuses every entry from now on: what the evidence log holds and what this journal holds contradict each other. */
  fail(sentence: string): void {
    this.#failure ??= new Refusal("AUDIT_UNAVAILABLE", sentence);
  }

  /** Why every entry is refused, or undefined. */
  get failure(): Refusal | undefined {
    return this.#failure;
  }

  /** Why new entries find no room, or undefined: from the first that found none until there is some again. */
  get shortage(): Refusal | undefined {
    if (this.#lacksRoom)
      this.#lacksRoom = this.bytes > this.#maxBytes - this.#reserveBytes || !this.#reserveIsWhole() || !hasRoom(this.#dir);
    return this.#lacksRoom ? full() : undefined;
  }

  /** Waits for what is being written, then lets go of the folder. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
    for (const wake of this.#durable.splice(0)) wake();
    await this.#file?.close();
    this.#file = undefined;
    this.#reserve.close();
    this.#lock.release();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // Entries that arrive in this turn of the event loop share a batch: one write, one sync, one signature.
      await new Promise(setImmediate);
      const batch = this.#admit();
      if (batch.length === 0) continue;
      try {
        await this.#commit(batch);
      } catch (error) {
        await this.#failed(batch, error);
      }
    }
    this.#draining = undefined; // in the same turn as the look at the queue, or what arrives in between would wait for ever
  }

  /** Takes from the queue what there is room for; refuses the rest. */
  #admit(): Waiting[] {
    const batch: Waiting[] = [];
    let used = this.bytes;
    let size = 0;
    let intents = this.#intents.size;
    let taken = 0;
    for (; taken < this.#queue.length && size < maxBatchBytes; taken++) {
      const waiting = this.#queue[taken] as Waiting;
      const bytes = waiting.record.rest.length + 128 + frameOverhead;
      if (!this.#hasRoom(waiting, used + bytes, intents)) {
        this.#lacksRoom ||= waiting.worth !== "noise";
        waiting.reject(full());
        continue;
      }
      if (waiting.record.phase === "intent") intents += 1;
      used += bytes;
      size += bytes;
      batch.push(waiting);
    }
    this.#queue.splice(0, taken);
    return batch;
  }

  #hasRoom({ worth, record }: Waiting, used: number, intents: number): boolean {
    if (worth === "outcome") return used <= this.#maxBytes;
    if (!this.#reserveIsWhole()) return false;
    const open = this.#maxBytes - this.#reserveBytes;
    if (worth === "noise") return used <= open * 0.75;
    if (record.phase === "intent" && (intents + 1) * (maxOutcomeBytes + frameOverhead) > this.#reserveBytes) return false;
    return used <= open;
  }

  /** After a full disk, nothing but outcomes is written until the reserve has its room again. */
  #reserveIsWhole(): boolean {
    if (this.#reserve.whole) return true;
    if (this.#clock.monotonic() - this.#triedRefillAt < refillEveryMs) return false;
    this.#triedRefillAt = this.#clock.monotonic();
    return this.#reserve.refill();
  }

  async #commit(batch: Waiting[]): Promise<void> {
    await this.#clean();
    const first = this.#last + 1n;
    const entries: Entry[] = [];
    let chain = this.#chain;
    for (const [at, { record, traceparent }] of batch.entries()) {
      const sequence = first + BigInt(at);
      const bytes = finalBytes(record, this.id, sequence);
      chain = chainValue(chain, sequence, bytes);
      entries.push({
        sequence,
        batch: first,
        record: bytes,
        traceparent,
        chain,
        signature: at === batch.length - 1 ? sign(null, chain, this.#key) : undefined,
        bootKey: at === 0 && !this.#bootKeySent ? this.bootKey : undefined,
        phase: record.phase,
      });
    }
    const frames = Buffer.concat(entries.map(encodeFrame));
    const segment = await this.#segmentFor(first);
    const file = this.#file as AppendFile;
    this.#dirty = true;
    await file.append(frames, segment.bytes);
    this.#dirty = false;
    mark(segment, first, segment.bytes);
    segment.bytes += frames.length;
    segment.last = this.#last = first + BigInt(batch.length - 1);
    segment.chain = this.#chain = chain;
    if (!this.#bootKeySent) this.#boots.push({ from: first, key: this.bootKey });
    this.#bootKeySent = true;
    this.#remember({ first, entries, bytes: frames.length });
    for (const [at, { record, resolve, traceparent }] of batch.entries()) {
      const entry = entries[at] as Entry;
      if (record.phase === "intent") this.#intents.add({ uid: record.uid, sequence: entry.sequence, record: entry.record, traceparent });
      if (record.intentUid !== undefined) this.#intents.remove(record.intentUid);
      resolve({ uid: record.uid, sequence: entry.sequence });
    }
    for (const wake of this.#durable.splice(0)) wake();
  }

  /** Nothing of the batch may stay. Outcomes are tried again with room from the reserve; the others are refused. */
  async #failed(batch: Waiting[], error: unknown): Promise<void> {
    const cause = isDiskFull(error)
      ? full(error)
      : new Refusal("AUDIT_UNAVAILABLE", "The journal could not be written; nothing was done.", { cause: error });
    this.#lacksRoom ||= isDiskFull(error);
    await this.#clean().catch(() => {}); // tried again before the next write
    const outcomes = batch.filter(({ worth }) => worth === "outcome");
    const needed = outcomes.reduce((sum, { record }) => sum + record.rest.length + 128 + frameOverhead, 0);
    const again = isDiskFull(error) && outcomes.length > 0 && this.#reserve.release(needed);
    for (const waiting of batch) {
      if (!again || waiting.worth !== "outcome") waiting.reject(cause);
    }
    if (again) this.#queue.unshift(...outcomes);
  }

  /** Cuts off what a failed write may have left behind. */
  async #clean(): Promise<void> {
    if (!this.#dirty) return;
    const segment = this.#segments.at(-1) as Segment;
    const file = this.#file as AppendFile;
    await file.truncate(segment.bytes);
    this.#dirty = false;
  }

  async #segmentFor(first: bigint): Promise<Segment> {
    const current = this.#segments.at(-1);
    if (current !== undefined && current.bytes < this.#segmentBytes) {
      this.#file ??= await AppendFile.open(current.path, "r+");
      return current;
    }
    const next = emptySegment(this.#dir, first, this.#chain);
    const file = await AppendFile.open(next.path, "w+");
    await this.#file?.close();
    this.#file = file;
    this.#segments.push(next);
    syncFolder(this.#dir);
    return next;
  }

  #remember(batch: Batch): void {
    this.#recent.push(batch);
    this.#recentBytes += batch.bytes;
    while (this.#recentBytes > recentBytes && this.#recent.length > 1) this.#recentBytes -= (this.#recent.shift() as Batch).bytes;
  }

  async #readFile(after: bigint, maxBytes: number): Promise<Entry[]> {
    const segment = this.#segments.find(({ last }) => last > after);
    if (segment === undefined || segment.first > after + 1n) {
      throw new Refusal(
        "AUDIT_UNAVAILABLE",
        `The journal no longer holds entry ${after + 1n}: it begins at ${segment?.first ?? this.#last + 1n}.`,
      );
    }
    const start = segment.marks.findLast(({ sequence }) => sequence <= after + 1n)?.offset ?? 0;
    const file = await open(segment.path, "r");
    try {
      const wanted = Math.min(segment.bytes - start, maxBytes + maxBatchBytes * 2);
      const bytes = Buffer.alloc(wanted);
      await file.read(bytes, 0, wanted, start);
      return wholeBatches(bytes, after, maxBytes);
    } finally {
      await file.close();
    }
  }
}

/** Whole batches among a file's frames after a sequence. */
function wholeBatches(bytes: Buffer, after: bigint, maxBytes: number): Entry[] {
  const entries: Entry[] = [];
  let whole = 0;
  let size = 0;
  for (let found = decodeFrame(bytes, 0); found !== undefined; found = decodeFrame(bytes, found.next)) {
    const { entry } = found;
    if (entry.sequence <= after) continue;
    entries.push(entry);
    size += entry.record.length;
    if (entry.signature === undefined) continue;
    whole = entries.length;
    if (size >= maxBytes) break;
  }
  return entries.slice(0, whole);
}

function takeBatches(batches: Batch[], maxBytes: number): Entry[] {
  const entries: Entry[] = [];
  let size = 0;
  for (const batch of batches) {
    if (entries.length > 0 && size + batch.bytes > maxBytes) break;
    entries.push(...batch.entries);
    size += batch.bytes;
  }
  return entries;
}

const full = (cause?: unknown) =>
  new Refusal(
    "AUDIT_UNAVAILABLE",
    "The journal has no room for another record, so nothing is done; free disk space, or mend the way to the audit service or Kafka.",
    { ...(cause === undefined ? {} : { cause }), retryAfterMs: 1000 },
  );
