import { CARRIAGE_RETURN, LINE_FEED } from "../letters.ts";

/** How a stream of events is cut up: server-sent events by blank lines (HTML §9.2.6), the others by lines. */
export type EventFormat = "sse" | "lines";

/** An event longer than this is not followed: see {@link EventSplitter.push}. */
export const MAX_EVENT_BYTES = 1 << 18;

/** A whole event with the line breaks that end it, or (`whole: false`) a part of one that is too long. */
export interface EventPiece {
  readonly bytes: Uint8Array;
  readonly whole: boolean;
}

/** Cuts a stream into its events. Every byte comes out again, in order. */
export class EventSplitter {
  readonly #format: EventFormat;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #lineEmpty = true;
  #afterReturn = false;
  /** Within an event of which a part was given out already. */
  #oversize = false;

  constructor(format: EventFormat) {
    this.#format = format;
  }

  /** The events that `chunk` completes. Of one longer than `MAX_EVENT_BYTES` the parts come out as they arrive, marked as such. */
  push(chunk: Uint8Array): EventPiece[] {
    const pieces: EventPiece[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const between = this.#heldBytes === 0 && from === at && !this.#oversize;
      // The second half of a CRLF that ended an event goes with it, or right after it.
      const afterEnd = between && this.#lineEmpty && this.#afterReturn && chunk[at] === LINE_FEED;
      if (!this.#endsAt(chunk[at]!) && !afterEnd) continue;
      if (chunk[at] === CARRIAGE_RETURN && chunk[at + 1] === LINE_FEED) this.#endsAt(chunk[++at]!);
      pieces.push(this.#take(chunk.subarray(from, at + 1), !this.#oversize));
      this.#oversize = false;
      from = at + 1;
    }
    const rest = chunk.subarray(from);
    if (this.#heldBytes + rest.length > MAX_EVENT_BYTES) {
      this.#oversize = true;
      pieces.push(this.#take(rest, false));
    } else if (rest.length > 0) {
      this.#held.push(Uint8Array.from(rest));
      this.#heldBytes += rest.length;
    }
    return pieces;
  }

  /** What stands after the last boundary: an event that was not ended. */
  end(): EventPiece | undefined {
    const rest = this.#heldBytes === 0 ? undefined : this.#take(new Uint8Array(0), !this.#oversize);
    this.#lineEmpty = true;
    this.#afterReturn = false;
    this.#oversize = false;
    return rest;
  }

  #endsAt(byte: number): boolean {
    const afterReturn = this.#afterReturn;
    this.#afterReturn = byte === CARRIAGE_RETURN;
    if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN) {
      this.#lineEmpty = false;
      return false;
    }
    if (this.#format === "lines") return byte === LINE_FEED;
    // The second half of a CRLF breaks no line of its own.
    if (byte === LINE_FEED && afterReturn) return false;
    const ends = this.#lineEmpty;
    this.#lineEmpty = true;
    return ends;
  }

  #take(last: Uint8Array, whole: boolean): EventPiece {
    const bytes = Buffer.concat([...this.#held, last]);
    this.#held = [];
    this.#heldBytes = 0;
    return { bytes, whole };
  }
}
