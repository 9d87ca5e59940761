import { hash } from "node:crypto";

/** One entry of a journal, as it lies on disk and as it is shipped. */
export interface Entry {
  /** From 1, without gaps. */
  readonly sequence: bigint;
  /** First sequence of the group that was written and synced together. */
  readonly batch: bigint;
  /** The record's final bytes. */
  readonly record: Uint8Array;
  readonly traceparent: string;
  /** {@link chainValue} up to and with this entry. */
  readonly chain: Uint8Array;
  /** On the last entry of a batch: Ed25519 over `chain`. */
  readonly signature: Uint8Array | undefined;
  /** On the first entry of a boot: the raw public key that signs. */
  readonly bootKey: Uint8Array | undefined;
  readonly phase: "intent" | "outcome" | "event";
}

/** The chain value before the first entry. */
export const chainStart: Uint8Array = new Uint8Array(32);

/** SHA-256(previous chain value || sequence, 8 bytes big-endian || record). */
export function chainValue(previous: Uint8Array, sequence: bigint, record: Uint8Array): Buffer {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(sequence);
  return hash("sha256", Buffer.concat([previous, place, record]), "buffer");
}
