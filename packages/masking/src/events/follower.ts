import type { Layer } from "../layer.ts";
import type { MaskSet } from "../mask-set.ts";
import type { Match } from "../search.ts";
import { searchOf } from "../search-of.ts";
import type { EventText, Half } from "./event-texts.ts";
import type { HeldEvent } from "./held-event.ts";

/** One event's share of a followed text. */
interface Share {
  /** Of its first byte, in the text put together. */
  readonly position: number;
  readonly text: EventText;
  readonly event: HeldEvent;
}

/** Follows the text at one JSON pointer from event to event, and takes values that are spread over several out of them. */
export class Follower {
  readonly #layer: Layer;
  readonly #matches: Match[] = [];
  readonly #placeholders: readonly string[];
  readonly #taken: () => void;
  #shares: Share[] = [];
  #length = 0;
  #covered = 0;
  /** What the last text ended in. */
  #high: { readonly half: Half; readonly event: HeldEvent } | undefined;
  /** The number of the last event that had this pointer. */
  seen = 0;

  /** @param taken told of each value that is taken out of several events, as soon as it is */
  constructor(set: MaskSet, taken: () => void) {
    this.#taken = taken;
    this.#layer = searchOf(set, (match) => this.#matches.push(match), { heldByBits: false })!;
    this.#placeholders = set.placeholders;
  }

  add(text: EventText, event: HeldEvent): void {
    this.seen = event.number;
    const high = this.#high;
    this.#high = text.high === undefined ? undefined : { half: text.high, event };
    if (high !== undefined && text.low !== undefined) {
      const character = Buffer.from(String.fromCharCode(high.half.unit, text.low.unit));
      this.#read(written(character.subarray(0, 2), high.half), high.event);
      this.#read(written(character.subarray(2), text.low), event);
    }
    if (text.bytes.length > 0) this.#read(text, event);
    this.#settle();
  }

  #read(text: EventText, event: HeldEvent): void {
    this.#shares.push({ position: this.#length, text, event });
    this.#length += text.bytes.length;
    this.#layer.read(text.bytes, 0, text.bytes.length);
  }

  /** Number of the event in which a value may begin that goes on in one still to come; Infinity when there is none. */
  get waitsFor(): number {
    return this.#shares[0]?.event.number ?? Number.POSITIVE_INFINITY;
  }

  /** No more of this text is waited for: what is complete is taken out. */
  finish(): void {
    this.#layer.finish();
    this.#settle();
    this.#shares = [];
    this.#matches.length = 0;
    this.#length = 0;
    this.#covered = 0;
    this.#high = undefined;
  }

  #settle(): void {
    const partial = this.#layer.partial();
    this.#matches.sort((one, other) => one.start - other.start || other.end - one.end);
    let settled = 0;
    for (; settled < this.#matches.length; settled++) {
      const { start, end, entry } = this.#matches[settled]!;
      if (start >= partial) break;
      this.#takeOut(Math.max(start, this.#covered), end, start < this.#covered ? "" : this.#placeholders[entry]!);
      this.#covered = Math.max(this.#covered, end);
    }
    this.#matches.splice(0, settled);
    const needed = Math.min(partial, this.#matches[0]?.start ?? partial);
    this.#shares = this.#shares.filter(({ position, text }) => position + text.bytes.length > needed);
  }

  /** A value within one event is left to the masker that reads the events' bytes. */
  #takeOut(start: number, end: number, placeholder: string): void {
    const shares = this.#shares.filter(({ position, text }) => position < end && position + text.bytes.length > start);
    if (shares.length === 1 && shares[0]!.position <= start && placeholder !== "") return;
    if (placeholder !== "") this.#taken();
    let written = placeholder;
    for (const { position, text, event } of shares) {
      const first = Math.max(0, start - position);
      const last = Math.min(text.bytes.length, end - position) - 1;
      event.replace(text.starts[first]!, text.ends[last]!, written);
      written = "";
    }
  }
}

/** Bytes that half a surrogate pair stands for together with the other. */
const written = (bytes: Uint8Array, { start, end }: Half): EventText => ({
  pointer: "",
  bytes,
  starts: Array.from(bytes, () => start),
  ends: Array.from(bytes, () => end),
});
