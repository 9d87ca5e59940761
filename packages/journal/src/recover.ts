import { closeSync, fsyncSync, ftruncateSync, openSync, readdirSync, readFileSync, unlinkSync } from "node:fs";
import { Refusal } from "@sallyport/contracts";
import type { OpenIntents } from "./open-intents.ts";
import { emptySegment, firstOfName, type Segment, scanSegment, segmentPath } from "./segment.ts";

/** What a journal's folder holds. */
export interface Recovered {
  readonly segments: Segment[];
  readonly last: bigint;
  /** Chain value of the last entry. */
  readonly chain: Uint8Array;
  /** Which key signs from which sequence on, ascending. */
  readonly boots: Boot[];
}

/** A boot's signing key. */
export interface Boot {
  readonly from: bigint;
  /** Raw Ed25519 public key. */
  readonly key: Uint8Array;
}

/** The last entry that went with its segment. */
export interface Removed {
  readonly sequence: bigint;
  readonly chain: Uint8Array;
  /** The key that signed it. */
  readonly bootKey: Uint8Array | undefined;
}

/**
 * Reads a journal's segments after a stop of any kind. A torn batch at the very end was never acknowledged and is cut off;
 * a segment whose removal was interrupted goes now.
 *
 * @throws Refusal AUDIT_UNAVAILABLE where acknowledged entries are missing or altered
 */
export function recover(dir: string, removed: Removed, intents: OpenIntents): Recovered {
  const firsts = readdirSync(dir)
    .map(firstOfName)
    .filter((first) => first !== undefined)
    .sort((a, b) => (a < b ? -1 : 1));
  while (firsts[0] !== undefined && firsts[0] <= removed.sequence) unlinkSync(segmentPath(dir, firsts.shift() as bigint));
  const segments: Segment[] = [];
  let last = removed.sequence;
  let chain: Uint8Array = removed.chain;
  const boots: Boot[] = removed.bootKey === undefined ? [] : [{ from: 0n, key: removed.bootKey }];
  for (const [at, first] of firsts.entries()) {
    const segment = emptySegment(dir, first, chain);
    if (first !== last + 1n) throw damaged(segment.path, last + 1n);
    const scan = scanSegment(readFileSync(segment.path), segment, (entry) => {
      if (entry.bootKey !== undefined) boots.push({ from: entry.sequence, key: Uint8Array.from(entry.bootKey) });
      if (entry.phase === "intent") intents.opened(entry.sequence, entry.record, entry.traceparent);
      if (entry.phase === "outcome") intents.closed(entry.record);
    });
    if (scan.end === "damaged") throw damaged(segment.path, scan.at);
    if (scan.end === "torn") {
      if (at !== firsts.length - 1) throw damaged(segment.path, segment.last + 1n);
      cutOff(segment);
    }
    segments.push(segment);
    last = segment.last;
    chain = segment.chain;
  }
  if (segments.length === 0 && removed.sequence > 0n) throw damaged(dir, removed.sequence + 1n);
  return { segments, last, chain, boots };
}

function cutOff(segment: Segment): void {
  const fd = openSync(segment.path, "r+");
  try {
    ftruncateSync(fd, segment.bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const damaged = (path: string, at: bigint) =>
  new Refusal(
    "AUDIT_UNAVAILABLE",
    `The journal is damaged at entry ${at} (${path}): acknowledged entries are missing or altered. Keep the folder for inspection and start with an empty one.`,
  );
