import type { Draft } from "./draft.ts";
import { fitJson } from "./fit.ts";
import { recordJson } from "./ocsf.ts";
import { newUid } from "./uid.ts";

/** The most that one record holds, bytes, without the line break. Larger ones are reduced, never dropped. */
export const maxRecordBytes = 60 * 1024;

/** `intent`: written before an effect. `outcome`: after it. `event`: all there is to say. */
export type Phase = "intent" | "outcome" | "event";

/** Who writes a record, and as what. */
export interface Envelope {
  /** The service that writes. */
  readonly service: string;
  /** Version of the product. */
  readonly version: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly phase: Phase;
  /** For an outcome: the `metadata.uid` of its intent. */
  readonly intentUid?: string | undefined;
  /** Left out: a fresh UUIDv7. */
  readonly uid?: string | undefined;
  /** Bytes at most; {@link maxRecordBytes}. */
  readonly maxBytes?: number | undefined;
}

/**
 * A record whose every byte is decided but for its place in a journal. {@link finalBytes} gives the bytes that are hashed,
 * logged and published.
 */
export interface EvidenceRecord {
  readonly uid: string;
  readonly phase: Phase;
  readonly intentUid: string | undefined;
  /** W3C trace context, or empty. */
  readonly traceparent: string;
  /** Everything after `sequence` and `log_name`. */
  readonly rest: Uint8Array;
}

const room = 256; // for `{"metadata":{"log_name":"…","sequence":…,` with a journal id of at most 64 characters

/** Turns a draft into a record: the same draft and envelope give the same bytes. */
export function evidenceRecord(draft: Draft, envelope: Envelope): EvidenceRecord {
  const uid = envelope.uid ?? newUid(envelope.time);
  const rest = fitJson(recordJson(draft, { ...envelope, uid }), Math.min(envelope.maxBytes ?? maxRecordBytes, maxRecordBytes) - room);
  return {
    uid,
    phase: envelope.phase,
    intentUid: envelope.intentUid,
    traceparent: draft.facts.traceparent ?? "",
    // The object opens with `{"metadata":{`, which finalBytes writes itself with the record's place.
    rest: Buffer.from(rest.slice(opening.length), "utf8"),
  };
}

const opening = '{"metadata":{';

/** The record's final bytes at its place in a journal: one line of UTF-8 JSON without its line break. */
export function finalBytes(record: EvidenceRecord, journalId: string, sequence: bigint): Uint8Array {
  const place = `${opening}"log_name":"${journalId}","sequence":${sequence},`;
  // Memory of its own: an intent's bytes are kept for as long as its effect lasts, and must not hold a whole slab of Node's pool with them.
  const bytes = Buffer.allocUnsafeSlow(place.length + record.rest.length);
  bytes.set(record.rest, bytes.write(place, "latin1"));
  return bytes;
}
