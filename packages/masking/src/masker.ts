/**
 * Masks a stream. Bytes go out as soon as nothing still under way can reach back to them. Of occurrences that overlap the leftmost,
 * and of those the longest, gives the placeholder, and it stands for all that they cover together.
 */
import { replacement } from "./form.ts";
import type { Layer } from "./layer.ts";
import type { MaskSet } from "./mask-set.ts";
import type { Match } from "./search.ts";
import { searchOf } from "./search-of.ts";

/** Input is searched in blocks of at most so many bytes, which bounds what is kept beside it. */
const BLOCK_BYTES = 65536;

export class Masker {
  readonly #set: MaskSet;
  readonly #layer: Layer | undefined;
  readonly #matches: Match[] = [];
  /** Input that has not gone out, from position `#position` on. */
  #held: Uint8Array = NOTHING;
  /** Memory of our own, and how much of it is used: `#held` lies at its end, but while a block is searched. */
  #own: Uint8Array = NOTHING;
  #used = 0;
  #position = 0;
  /** Input before this position is masked or gone. */
  #covered = 0;
  #last: Match | undefined;
  #count = 0;

  constructor(set: MaskSet) {
    this.#set = set;
    this.#layer = searchOf(set, (match) => this.#matches.push(match));
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
    this.#set.assertWhole();
    if (this.#layer === undefined || chunk.length === 0) return chunk;
    const out: Uint8Array[] = [];
    for (let from = 0; from < chunk.length; from += BLOCK_BYTES) {
      const block = chunk.subarray(from, from + BLOCK_BYTES);
      this.#layer.read(block, 0, block.length);
      const own = this.#held.length > 0;
      if (own) this.#keep(block);
      else this.#held = block;
      const passed = out.length;
      this.#settle(Math.min(this.#layer.partial(), this.#position + this.#held.length), out);
      // What lies in our own memory is copied before that is used again.
      if (own) for (let each = passed; each < out.length; each++) out[each] = Uint8Array.from(out[each]!);
      else if (this.#held.length > 0) this.#keep(NOTHING);
    }
    return joined(out);
  }

  /** The stream ends: what was held back comes out, unchanged where it turned out to be no value. The masker is then as new. */
  end(): Uint8Array {
    this.#set.assertWhole();
    if (this.#layer === undefined) return NOTHING;
    this.#layer.finish();
    const out: Uint8Array[] = [];
    this.#settle(this.#position + this.#held.length, out);
    this.#held = NOTHING;
    this.#position = 0;
    this.#covered = 0;
    this.#last = undefined;
    return joined(out);
  }

  /** Puts what is held, and `block` after it, at the end of our own memory. Amortised, a byte is moved a constant number of times. */
  #keep(block: Uint8Array): void {
    const held = this.#held;
    const length = held.length + block.length;
    if (held.buffer !== this.#own.buffer || this.#used + block.length > this.#own.length) {
      const grown = this.#own.length < 2 * length || held.buffer === this.#own.buffer ? new Uint8Array(2 * length) : this.#own;
      grown.set(held);
      this.#own = grown;
      this.#used = held.length;
    }
    this.#own.set(block, this.#used);
    this.#used += block.length;
    this.#held = this.#own.subarray(this.#used - length, this.#used);
  }

  /** Passes on what lies before `safe`, where the first occurrence that is still possible begins. */
  #settle(safe: number, out: Uint8Array[]): void {
    const matches = this.#matches;
    matches.sort((one, other) => one.start - other.start || other.end - one.end || rank(one) - rank(other));
    let settled = 0;
    for (; settled < matches.length; settled++) {
      const match = matches[settled]!;
      let { start } = match;
      if (start < this.#covered) {
        // In base64 two values that touch share a letter: the second begins in the first one's last.
        const shares = match.sharedEnd === this.#covered && match.start < match.sharedEnd && this.#last?.form.kind === "base64";
        if (!shares) {
          this.#covered = Math.max(this.#covered, match.end);
          continue;
        }
        start = this.#covered;
      }
      if (match.start >= safe) break;
      this.#pass(Math.max(start, this.#position), out);
      const span = this.#held.subarray(start - this.#position, match.end - this.#position);
      out.push(replacement(this.#set.placeholders[match.entry]!, match.form, span, start === match.start ? 0 : 1));
      this.#count++;
      this.#covered = match.end;
      this.#last = match;
    }
    matches.splice(0, settled);
    this.#drop(this.#covered);
    this.#pass(Math.min(safe, matches[0]?.start ?? safe), out);
  }

  /** Passes on the input before `position`. */
  #pass(position: number, out: Uint8Array[]): void {
    this.#drop(this.#covered);
    if (position <= this.#position) return;
    out.push(this.#held.subarray(0, position - this.#position));
    this.#drop(position);
  }

  #drop(position: number): void {
    const count = Math.min(position - this.#position, this.#held.length);
    if (count <= 0) return;
    this.#held = this.#held.subarray(count);
    this.#position += count;
  }
}

/** Of several ways to read the same bytes, the one whose replacement fits: a JSON number before its digits. */
const rank = ({ form }: Match): number => (form.kind === "number" ? 0 : form.kind === "text" ? 1 : 2);

const NOTHING = new Uint8Array(0);

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 0 ? NOTHING : parts.length === 1 ? parts[0]! : Buffer.concat(parts);
