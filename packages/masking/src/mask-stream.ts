import { setImmediate as nextTurn } from "node:timers/promises";
import { EventMasker, eventFormatOf } from "./events/event-masker.ts";
import type { MaskSet } from "./mask-set.ts";
import { Masker } from "./masker.ts";

/** Bytes masked before the clock is looked at. */
const SLICE_BYTES = 16384;
/** Milliseconds after which others get their turn. */
const TURN_MS = 15;

/** What masks a stream: takes bytes in order, and returns those that are safe to pass on. */
export interface StreamMasker {
  readonly count: number;
  push(chunk: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

/** The masker for a body of this media type: one that follows events where it is a stream of them. */
export function maskerFor(set: MaskSet, contentType: string | undefined): StreamMasker {
  const format = eventFormatOf(contentType);
  return format === undefined ? new Masker(set) : new EventMasker(set, format);
}

/**
 * `source`, masked, to its end. However large its chunks, the event loop gets its turn at least every few dozen milliseconds, so that
 * one hostile stream cannot hold up the others.
 */
export async function* maskStream(masker: StreamMasker, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let turn = performance.now();
  for await (const chunk of source) {
    for (let from = 0; from < chunk.length; from += SLICE_BYTES) {
      const bytes = masker.push(chunk.subarray(from, from + SLICE_BYTES));
      if (bytes.length > 0) yield bytes;
      if (performance.now() - turn > TURN_MS) {
        await nextTurn();
        turn = performance.now();
      }
    }
  }
  const rest = masker.end();
  if (rest.length > 0) yield rest;
}
