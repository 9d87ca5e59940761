import { join } from "node:path";
import { readIfPresent, replaceFile } from "./durable-file.ts";

/** An effect that was announced and whose outcome is not on record. */
export interface OpenIntent {
  /** `metadata.uid` of the intent. */
  readonly uid: string;
  readonly sequence: bigint;
  /** The intent's final bytes. */
  readonly record: Uint8Array;
  readonly traceparent: string;
}

/**
 * Intents without an outcome, over restarts. Found again by reading the journal; those whose segment may go are kept in a
 * file of their own beforehand.
 */
export class OpenIntents {
  readonly #path: string;
  readonly #byUid = new Map<string, OpenIntent>();

  constructor(dir: string) {
    this.#path = join(dir, "open-intents.jsonl");
  }

  /** Intents that were carried over from segments that are gone. Call before any segment is read. */
  load(): void {
    for (const line of (readIfPresent(this.#path) ?? "").split("\n")) {
      if (line === "") continue;
      const { sequence, traceparent, record } = JSON.parse(line) as { sequence: string; traceparent: string; record: string };
      this.opened(BigInt(sequence), Buffer.from(record, "utf8"), traceparent);
    }
  }

  /** Keeps what segments up to that sequence hold, before they are removed. */
  carry(upTo: bigint): void {
    const kept = this.all().filter((intent) => intent.sequence <= upTo);
    if (kept.length === 0 && readIfPresent(this.#path) === undefined) return;
    const lines = kept.map(({ sequence, traceparent, record }) =>
      JSON.stringify({ sequence: sequence.toString(), traceparent, record: Buffer.from(record).toString("utf8") }),
    );
    replaceFile(this.#path, lines.map((line) => `${line}\n`).join(""));
  }

  opened(sequence: bigint, record: Uint8Array, traceparent: string): void {
    const uid = placeOf(record).uid;
    if (uid !== undefined) this.#byUid.set(uid, { uid, sequence, record, traceparent });
  }

  closed(outcome: Uint8Array): void {
    const intentUid = placeOf(outcome).intentUid;
    if (intentUid !== undefined) this.#byUid.delete(intentUid);
  }

  add(intent: OpenIntent): void {
    this.#byUid.set(intent.uid, intent);
  }

  remove(uid: string): void {
    this.#byUid.delete(uid);
  }

  has(uid: string): boolean {
    return this.#byUid.has(uid);
  }

  get size(): number {
    return this.#byUid.size;
  }

  all(): OpenIntent[] {
    return [...this.#byUid.values()];
  }
}

function placeOf(record: Uint8Array): { uid: string | undefined; intentUid: string | undefined } {
  const event = JSON.parse(Buffer.from(record).toString("utf8")) as {
    metadata?: { uid?: string };
    unmapped?: { sallyport?: { intent_uid?: string } };
  };
  return { uid: event.metadata?.uid, intentUid: event.unmapped?.sallyport?.intent_uid };
}
