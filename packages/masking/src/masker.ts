/**
 * Masks a stream. Bytes go out as soon as nothing still under way can reach back to them. Of occurrences that overlap the leftmost,
 * and of those the longest, gives the placeholder, and it stands for all that they cover together.
 */
import { replacement } from "./form.ts";
import { JsonFrame } from "./json/json-frame.ts";
import type { MaskSet } from "./mask-set.ts";
import { Reader } from "./reader.ts";
import type { Match, Reading } from "./search.ts";

/** Input is searched in blocks of at most so many bytes, which bounds what is kept beside it. */
const BLOCK_BYTES = 65536;

export class Masker {
  readonly #set: MaskSet;
  readonly #reader: Reading | undefined;
  readonly #matches: Match[] = [];
  /** Input that has not gone out, from position `#position` on: in memory of our own, and in the block at hand. */
  #held: Uint8Array = NOTHING;
  #block: Uint8Array = NOTHING;
  #own: Uint8Array = NOTHING;
  #position = 0;
  /** Input before this position is masked or gone. */
  #covered = 0;
  #last: Match | undefined;
  #count = 0;
  readonly #json = new JsonFrame();

  /** @param read how it is read; every way finds the same */
  constructor(set: MaskSet, read: (set: MaskSet, found: (match: Match) => void) => Reading | undefined = Reader.of) {
    this.#set = set;
    this.#reader = read(set, (match) => this.#matches.push(match));
  }

  /** How many placeholders were written. */
  get count(): number {
    return this.#count;
  }

  /** Bytes held back at the moment: they may be the beginning of a value. */
  get held(): number {
    return this.#held.length;
  }

  /** Takes the next bytes; returns what is safe to pass on, which may be nothing. The result may share memory with `chunk`. */
  push(chunk: Uint8Array): Uint8Array {
    return joined(this.pieces(chunk));
  }

  /** As `push`, in pieces that are not put together. */
  pieces(chunk: Uint8Array): Uint8Array[] {
    this.#set.assertWhole();
    if (chunk.length === 0) return [];
    if (this.#reader === undefined) return [chunk];
    const out: Uint8Array[] = [];
    for (let from = 0; from < chunk.length; from += BLOCK_BYTES) {
      this.#block = chunk.length <= BLOCK_BYTES ? chunk : chunk.subarray(from, from + BLOCK_BYTES);
      this.#reader.read(this.#block);
      this.#settle(Math.min(this.#reader.partial(), this.#end), out);
      this.#keep();
    }
    return out;
  }

  /** The stream ends: what was held back comes out, unchanged where it turned out to be no value. The masker is then as new. */
  end(): Uint8Array {
    this.#set.assertWhole();
    if (this.#reader === undefined) return NOTHING;
    this.#reader.finish();
    const out: Uint8Array[] = [];
    this.#settle(this.#end, out);
    this.#json.finish();
    this.#held = NOTHING;
    this.#position = 0;
    this.#covered = 0;
    this.#last = undefined;
    return joined(out);
  }

  /** Position after the last byte of the block. */
  get #end(): number {
    return this.#position + this.#held.length + this.#block.length;
  }

  /** What is left of the block joins what is held, in memory of our own. Amortised, a byte is moved a constant number of times. */
  #keep(): void {
    const block = this.#block;
    this.#block = NOTHING;
    if (block.length === 0) return;
    const held = this.#held;
    const length = held.length + block.length;
    const from = held.length === 0 ? 0 : held.byteOffset;
    let own = this.#own;
    if (from + length > own.length) {
      if (own.length < 2 * length) own = new Uint8Array(2 * length);
      own.set(held);
      own.set(block, held.length);
      this.#held = own.subarray(0, length);
    } else {
      own.set(block, from + held.length);
      this.#held = own.subarray(from, from + length);
    }
    this.#own = own;
  }

  /** Passes on what lies before `safe`, where the first occurrence that is still possible begins. */
  #settle(safe: number, out: Uint8Array[]): void {
    const matches = this.#matches;
    if (matches.length > 1) matches.sort((one, other) => one.start - other.start || other.end - one.end || rank(one) - rank(other));
    let settled = 0;
    for (; settled < matches.length; settled++) {
      const match = matches[settled]!;
      let { start } = match;
      if (start < this.#covered) {
        // In base64 two values that touch share a letter: the second begins in the first one's last.
        const shares = match.sharedEnd === this.#covered && match.start < match.sharedEnd && this.#last?.form.kind === "base64";
        if (!shares) {
          this.#cover(match.end, out);
          continue;
        }
        start = this.#covered;
      }
      if (match.start >= safe) break;
      this.#pass(Math.max(start, this.#position), out);
      const span = this.#between(start, match.end);
      const placeholder = this.#set.placeholders[match.entry]!;
      const bytes = replacement(placeholder, match.form, span, start === match.start ? 0 : 1);
      out.push(this.#json.replace(span, { bytes, placeholder, form: match.form }));
      this.#count++;
      this.#covered = match.end;
      this.#last = match;
    }
    if (settled > 0) matches.splice(0, settled);
    this.#drop(this.#covered);
    this.#pass(Math.min(safe, matches[0]?.start ?? safe), out);
  }

  /** What was written last stands for the input before `end` too. */
  #cover(end: number, out: Uint8Array[]): void {
    if (end <= this.#covered) return;
    const needed = this.#json.cover(this.#between(Math.max(this.#covered, this.#position), end));
    if (needed.length > 0) out.push(needed);
    this.#covered = end;
  }

  /** The input from position `start` to `end`. */
  #between(start: number, end: number): Uint8Array {
    const held = this.#held;
    const from = start - this.#position - held.length;
    const to = end - this.#position - held.length;
    if (from >= 0) return this.#block.subarray(from, to);
    if (to <= 0) return held.subarray(from + held.length, to + held.length);
    return Buffer.concat([held.subarray(from + held.length), this.#block.subarray(0, to)]);
  }

  /** Passes on the input before `position`. What is held is copied, since its memory is used again. */
  #pass(position: number, out: Uint8Array[]): void {
    this.#drop(this.#covered);
    const count = position - this.#position;
    if (count <= 0) return;
    const held = Math.min(count, this.#held.length);
    if (held > 0) this.#give(this.#held.slice(0, held), out);
    if (count > held) this.#give(this.#block.subarray(0, count - held), out);
    this.#drop(position);
  }

  #give(bytes: Uint8Array, out: Uint8Array[]): void {
    const bridge = this.#json.pass(bytes);
    if (bridge !== undefined) out.push(bridge);
    out.push(bytes);
  }

  #drop(position: number): void {
    const count = Math.min(position, this.#end) - this.#position;
    if (count <= 0) return;
    const held = Math.min(count, this.#held.length);
    if (held > 0) this.#held = this.#held.subarray(held);
    if (count > held) this.#block = this.#block.subarray(count - held);
    this.#position += count;
  }
}

/** Of several ways to read the same bytes, the one whose replacement fits: a JSON number before its digits. */
const rank = ({ form }: Match): number => (form.kind === "number" ? 0 : form.kind === "text" ? 1 : 2);

const NOTHING = new Uint8Array(0);

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 0 ? NOTHING : parts.length === 1 ? parts[0]! : Buffer.concat(parts);
