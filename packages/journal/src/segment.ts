import { join } from "node:path";
import { chainValue, type Entry } from "./entry.ts";
import { decodeFrame, findFrame } from "./frame.ts";

/** One file of a journal, named by its first sequence number. */
export interface Segment {
  readonly path: string;
  readonly first: bigint;
  /** Last durable sequence; `first - 1` while it is empty. */
  last: bigint;
  /** Durable bytes. */
  bytes: number;
  /** Chain value of the last durable entry. */
  chain: Uint8Array;
  /** Where batches start: sequence and offset, ascending, about one every 64 KiB. */
  readonly marks: { sequence: bigint; offset: number }[];
}

const markEvery = 64 * 1024;

export const segmentPath = (dir: string, first: bigint): string => join(dir, `${first.toString().padStart(20, "0")}.journal`);

/** The first sequence number of a segment's file name; undefined for any other file. */
export const firstOfName = (name: string): bigint | undefined => {
  const match = /^([0-9]{20})\.journal$/.exec(name);
  return match === null ? undefined : BigInt(match[1] as string);
};

/** @param chain value of the entry before its first */
export const emptySegment = (dir: string, first: bigint, chain: Uint8Array): Segment => ({
  path: segmentPath(dir, first),
  first,
  last: first - 1n,
  bytes: 0,
  chain,
  marks: [],
});

/** Remembers where a batch starts, so that a reader need not scan from the segment's start. */
export function mark(segment: Segment, sequence: bigint, offset: number): void {
  const last = segment.marks.at(-1);
  if (last === undefined || offset - last.offset >= markEvery) segment.marks.push({ sequence, offset });
}

/**
 * Reads every whole batch of a segment, checking sequence and chain.
 *
 * - `torn`: after the last whole batch lies the remainder of one that never was acknowledged.
 * - `damaged`: something before a later batch is unreadable. A later batch proves that the earlier one was durable, so
 *   this is no torn write and nothing may be cut off silently.
 */
export function scanSegment(
  bytes: Buffer,
  segment: Segment,
  onEntry: (entry: Entry) => void,
): { end: "whole" | "torn" } | { end: "damaged"; at: bigint } {
  let chain = segment.chain;
  let offset = 0;
  let pending: Entry[] = [];
  for (let found = decodeFrame(bytes, 0); found !== undefined; found = decodeFrame(bytes, offset)) {
    const { entry } = found;
    const sequence = segment.last + BigInt(pending.length) + 1n;
    const follows = chainValue(chain, sequence, entry.record).equals(entry.chain);
    if (entry.sequence !== sequence || !follows) return { end: "damaged", at: sequence };
    chain = entry.chain;
    offset = found.next;
    pending.push(entry);
    if (entry.signature === undefined) continue;
    mark(segment, (pending[0] as Entry).sequence, segment.bytes);
    segment.last = entry.sequence;
    segment.bytes = offset;
    segment.chain = chain;
    for (const whole of pending) onEntry(whole);
    pending = [];
  }
  if (segment.bytes === bytes.length) return { end: "whole" };
  const later = findFrame(bytes, offset);
  if (later !== undefined && later.batch > segment.last + 1n) return { end: "damaged", at: segment.last + BigInt(pending.length) + 1n };
  return { end: "torn" };
}
