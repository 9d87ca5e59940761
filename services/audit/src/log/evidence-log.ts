import type { KeyObject } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "@sallyport/contracts";
import {
  checkpointLine,
  defaultRecordsPerSegment,
  type Frontier,
  type LogManifest,
  leafHash,
  type NoteSigner,
  noteSigner,
  rootOf,
  signCheckpoint,
} from "@sallyport/evidence";
import { AppendFile, FolderLock, syncFolder } from "@sallyport/journal";
import { inclusionOver } from "./inclusion.ts";
import { manifestOf, unusable } from "./manifest.ts";
import { recoverLog } from "./recover-log.ts";
import { leavesPath, lineEnds, readLeaves, readLines, recordsPath } from "./segment-file.ts";

export interface EvidenceLogOptions {
  dir: string;
  /** Part of the log's origin. */
  trustDomain: string;
  /** Ed25519 private key that signs checkpoints. */
  key: KeyObject;
  /** A power of two; 65,536. */
  recordsPerSegment?: number | undefined;
  /** Roots of full segments that are known already: a cache, only to start faster. */
  subtree?: ((segment: number) => Buffer | undefined) | undefined;
}

/** Where records went. */
export interface Logged {
  /** Index of the first of them. */
  readonly first: number;
  /** The signed checkpoint that covers them. */
  readonly checkpoint: string;
}

interface Waiting {
  readonly records: readonly Uint8Array[];
  readonly resolve: (logged: Logged) => void;
  readonly reject: (error: unknown) => void;
}

const maxBatchRecords = 8192;

/**
 * The evidence log: the exact bytes of every record, one a line, their RFC 6962 leaves, and signed checkpoints. One writer,
 * by an operating-system lock. Records that arrive together are written, synced and signed together; a promise resolves once
 * a checkpoint on disk covers its records.
 */
export class EvidenceLog {
  readonly dir: string;
  readonly origin: string;
  readonly recordsPerSegment: number;
  readonly #lock: FolderLock;
  readonly #signer: NoteSigner;
  #tree: Frontier;
  #segment: number;
  #ends: number[];
  #records: AppendFile;
  #leaves: AppendFile;
  readonly #checkpoints: AppendFile;
  #checkpointBytes: number;
  #checkpoint: string;
  #size: number;
  #queue: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #dirty = false;
  #closed = false;
  readonly #older = new Map<number, number[]>();
  /** Of full segments, as they are asked for. */
  readonly #roots = new Map<number, Buffer>();
  readonly #grown = new Set<() => void>();

  /** Opens or begins the log of a folder. @throws Refusal AUDIT_UNAVAILABLE where another process writes it, or it was altered */
  static async open(options: EvidenceLogOptions): Promise<EvidenceLog> {
    const { dir, key } = options;
    const lock = FolderLock.take(dir);
    if (lock === undefined) {
      throw new Refusal(
        "AUDIT_UNAVAILABLE",
        `Another audit service writes the evidence log in ${dir}; stop it, or give this one a data folder of its own.`,
      );
    }
    try {
      const manifest = manifestOf(dir, options.trustDomain, key, options.recordsPerSegment ?? defaultRecordsPerSegment);
      const recovered = await recoverEither(dir, manifest, options.subtree);
      const files = {
        records: await openEither(recordsPath(dir, recovered.segment)),
        leaves: await openEither(leavesPath(dir, recovered.segment)),
        checkpoints: await openEither(join(dir, "checkpoints.jsonl")),
      };
      syncFolder(dir);
      await files.records.sync();
      await files.leaves.sync();
      await files.checkpoints.truncate(recovered.checkpointBytes);
      const log = new EvidenceLog(dir, manifest, lock, noteSigner(manifest.origin, key), recovered, files);
      if (recovered.signed?.checkpoint.size !== recovered.tree.size) await log.#sign();
      return log;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(
    dir: string,
    manifest: LogManifest,
    lock: FolderLock,
    signer: NoteSigner,
    recovered: Awaited<ReturnType<typeof recoverLog>>,
    files: { records: AppendFile; leaves: AppendFile; checkpoints: AppendFile },
  ) {
    this.dir = dir;
    this.origin = manifest.origin;
    this.recordsPerSegment = manifest.recordsPerSegment;
    this.#lock = lock;
    this.#signer = signer;
    this.#tree = recovered.tree;
    this.#segment = recovered.segment;
    this.#ends = recovered.ends;
    this.#records = files.records;
    this.#leaves = files.leaves;
    this.#checkpoints = files.checkpoints;
    this.#checkpointBytes = recovered.checkpointBytes;
    this.#checkpoint = recovered.signed?.note ?? "";
    this.#size = recovered.signed?.checkpoint.size ?? 0;
  }

  /** Records that are durable and covered by {@link checkpoint}. */
  get size(): number {
    return this.#size;
  }

  /** The newest signed checkpoint. */
  get checkpoint(): string {
    return this.#checkpoint;
  }

  /**
   * Appends records, in order and next to each other.
   * @throws Refusal AUDIT_UNAVAILABLE where they cannot be made durable: none of them is in the log then
   */
  append(records: readonly Uint8Array[]): Promise<Logged> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Refusal("AUDIT_UNAVAILABLE", "The audit service is stopping."));
      this.#queue.push({ records, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Records from an index on, up to about so many bytes; at least one where there is one. */
  read(from: number, maxBytes = 1024 * 1024): Buffer[] {
    if (from >= this.size) return [];
    const segment = Math.floor(from / this.recordsPerSegment);
    const ends = this.#endsOf(segment);
    const at = from % this.recordsPerSegment;
    const start = at === 0 ? 0 : (ends[at - 1] as number);
    let to = at + 1;
    const last = Math.min(ends.length, this.size - segment * this.recordsPerSegment);
    while (to < last && (ends[to] as number) - start <= maxBytes) to++;
    return readLines(recordsPath(this.dir, segment), ends, at, to);
  }

  /** The leaves of a full segment. */
  leavesOf(segment: number): Buffer[] {
    return readLeaves(leavesPath(this.dir, segment));
  }

  /** That the log holds the record at an index: a path to the newest signed checkpoint. @throws RangeError where there is none */
  prove(index: number): { readonly checkpoint: string; readonly path: Buffer[] } {
    const { size, recordsPerSegment, checkpoint } = this;
    const tree = { index, size, recordsPerSegment };
    const path = inclusionOver(
      tree,
      (segment) => this.leavesOf(segment),
      (segment) => this.#rootOf(segment),
    );
    return { checkpoint, path };
  }

  /** Bytes from an index to the end, without reading them. */
  bytesFrom(index: number): number {
    if (index >= this.size) return 0;
    let bytes = 0;
    for (let segment = Math.floor(index / this.recordsPerSegment); segment <= this.#segment; segment++) {
      const whole = segment === this.#segment ? (this.#ends.at(-1) ?? 0) : statSync(recordsPath(this.dir, segment)).size;
      const first = Math.max(0, index - segment * this.recordsPerSegment);
      bytes += whole - (first === 0 ? 0 : (this.#endsOf(segment)[first - 1] as number));
    }
    return bytes;
  }

  /** Resolves once the log is longer, the signal is aborted, or it is closed. */
  async waitForMore(size: number, signal: AbortSignal): Promise<void> {
    while (this.size <= size && !this.#closed && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      this.#grown.add(wake);
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      this.#grown.delete(wake);
      signal.removeEventListener("abort", wake);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
    this.#wake();
    await Promise.all([this.#records.close(), this.#leaves.close(), this.#checkpoints.close()]);
    this.#lock.release();
  }

  async #drain(): Promise<void> {
    await undefined;
    while (this.#queue.length > 0) {
      const batch = [this.#queue.shift() as Waiting];
      for (let count = batch[0]?.records.length ?? 0; this.#queue[0] !== undefined; batch.push(this.#queue.shift() as Waiting)) {
        count += this.#queue[0].records.length;
        if (count > maxBatchRecords) break;
      }
      try {
        const first = this.size;
        await this.#write(batch.flatMap(({ records }) => records));
        let at = first;
        for (const { records, resolve } of batch) {
          resolve({ first: at, checkpoint: this.#checkpoint });
          at += records.length;
        }
      } catch (cause) {
        await this.#clean().catch(() => {}); // tried again before the next write
        for (const { reject } of batch)
          reject(new Refusal("AUDIT_UNAVAILABLE", "The evidence log could not be written.", { cause, retryAfterMs: 1000 }));
      }
    }
    this.#draining = undefined;
  }

  /** Nothing of it counts until the checkpoint is on disk, so a failure anywhere takes all of it back. */
  async #write(records: readonly Uint8Array[]): Promise<void> {
    await this.#clean();
    const before = { tree: this.#tree.clone(), segment: this.#segment, ends: this.#ends.length };
    this.#dirty = true;
    try {
      for (let done = 0; done < records.length; ) {
        if (this.#ends.length === this.recordsPerSegment) await this.#nextSegment();
        const some = records.slice(done, done + this.recordsPerSegment - this.#ends.length);
        await this.#writeSome(some);
        done += some.length;
      }
      await this.#sign();
      this.#dirty = false;
    } catch (error) {
      this.#takeBack = before;
      throw error;
    }
    this.#wake();
  }

  async #writeSome(records: readonly Uint8Array[]): Promise<void> {
    const lines: Uint8Array[] = [];
    const ends: number[] = [];
    const leaves: Buffer[] = [];
    let end = this.#ends.at(-1) ?? 0;
    const start = end;
    for (const record of records) {
      end += record.length + 1;
      ends.push(end);
      lines.push(record, lineBreak);
      leaves.push(leafHash(record));
    }
    const writes = await Promise.allSettled([
      this.#records.append(Buffer.concat(lines), start),
      this.#leaves.append(Buffer.concat(leaves), this.#ends.length * 32),
    ]);
    // Both have ended, so that what takes a failed write back finds nobody who still writes.
    for (const write of writes) if (write.status === "rejected") throw write.reason;
    for (const leaf of leaves) this.#tree.add(leaf);
    this.#ends.push(...ends);
  }

  async #sign(): Promise<void> {
    const note = signCheckpoint({ origin: this.origin, size: this.#tree.size, root: this.#tree.root() }, this.#signer);
    const line = Buffer.from(checkpointLine(note), "utf8");
    await this.#checkpoints.append(line, this.#checkpointBytes);
    this.#checkpointBytes += line.length;
    this.#checkpoint = note;
    this.#size = this.#tree.size;
  }

  async #nextSegment(): Promise<void> {
    const next = this.#segment + 1;
    const records = await AppendFile.open(recordsPath(this.dir, next), "w+");
    const leaves = await AppendFile.open(leavesPath(this.dir, next), "w+");
    syncFolder(this.dir);
    await Promise.all([this.#records.close(), this.#leaves.close()]);
    this.#remember(this.#segment, this.#ends);
    [this.#records, this.#leaves, this.#segment, this.#ends] = [records, leaves, next, []];
  }

  #takeBack: { tree: Frontier; segment: number; ends: number } | undefined;

  /** Cuts off what a failed write left, so that the files hold what the last checkpoint says and nothing else. */
  async #clean(): Promise<void> {
    if (!this.#dirty) return;
    const back = this.#takeBack;
    if (back !== undefined) {
      while (this.#segment > back.segment) await this.#previousSegment();
      this.#ends.length = back.ends;
      this.#tree = back.tree.clone();
    }
    await this.#records.truncate(this.#ends.at(-1) ?? 0);
    await this.#leaves.truncate(this.#ends.length * 32);
    await this.#checkpoints.truncate(this.#checkpointBytes);
    this.#takeBack = undefined;
    this.#dirty = false;
  }

  async #previousSegment(): Promise<void> {
    await this.#records.truncate(0);
    await this.#leaves.truncate(0);
    const previous = this.#segment - 1;
    const ends = this.#endsOf(previous);
    const records = await AppendFile.open(recordsPath(this.dir, previous), "r+");
    const leaves = await AppendFile.open(leavesPath(this.dir, previous), "r+");
    await Promise.all([this.#records.close(), this.#leaves.close()]);
    [this.#records, this.#leaves, this.#segment, this.#ends] = [records, leaves, previous, [...ends]];
  }

  #rootOf(segment: number): Buffer {
    let root = this.#roots.get(segment);
    if (root === undefined) {
      const leaves = this.leavesOf(segment);
      root = rootOf({ size: this.recordsPerSegment, leaf: (index) => leaves[index] as Buffer });
      this.#roots.set(segment, root);
    }
    return root;
  }

  #endsOf(segment: number): readonly number[] {
    if (segment === this.#segment) return this.#ends;
    const known = this.#older.get(segment);
    if (known !== undefined) return known;
    const { ends } = lineEnds(recordsPath(this.dir, segment));
    if (ends.length < this.recordsPerSegment) throw unusable(this.dir, `segment ${segment} has lost records`);
    this.#remember(segment, ends);
    return ends;
  }

  #remember(segment: number, ends: number[]): void {
    if (this.#older.size >= 4) this.#older.delete(this.#older.keys().next().value as number);
    this.#older.set(segment, ends);
  }

  #wake(): void {
    for (const wake of this.#grown) wake();
    this.#grown.clear();
  }
}

/** The cache of subtrees is only believed where the signed root follows from it. */
async function recoverEither(dir: string, manifest: LogManifest, subtree: EvidenceLogOptions["subtree"]) {
  if (subtree !== undefined) {
    try {
      return await recoverLog(dir, manifest, subtree);
    } catch {
      // Said below, by the leaves themselves.
    }
  }
  return recoverLog(dir, manifest, () => undefined);
}

const lineBreak = Uint8Array.of(0x0a);

const openEither = (path: string) => AppendFile.open(path, existsSync(path) ? "r+" : "w+");
