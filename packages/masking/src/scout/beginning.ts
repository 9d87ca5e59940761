import type { Automaton } from "../automaton.ts";
import { glance, glanceLength, isSpelledPlainly, maybeSilent, NO_SPELLING, UNCLEAR } from "../glance.ts";
import { BACKSPACE, isSkipped } from "../letters.ts";
import { Spelling, spellingLead } from "../spelling.ts";
import { isSpecial } from "./kinds.ts";

/** Steps after which the layer itself is asked: so many ways to read on are made for the purpose, or the value is long. */
const MAX_STEPS = 300;

/**
 * Whether a value may begin where letters of one stand: reads on in every way in which a layer would (see `layer.ts`), but from one place and
 * only as long as all that was read still belongs to the beginning of one value.
 */
export class Beginning {
  readonly #automaton: Automaton;
  readonly #levels: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #to = 0;
  #runsOut = false;
  #steps = 0;
  /** Steps that all looks took together. */
  spent = 0;
  readonly #special: Uint8Array;

  /** `depth` as a layer's. */
  constructor(automaton: Automaton, depth: number) {
    this.#automaton = automaton;
    this.#levels = 2 - depth;
    this.#special = isSpecial[depth]!;
  }

  /** From `at` on, after letters that led to `state`, and `previous` before the last of them. `runsOut`: what the end of the bytes means. */
  goesOn(bytes: Uint8Array, at: number, to: number, state: number, previous: number, runsOut: boolean): boolean {
    this.#bytes = bytes;
    this.#to = to;
    this.#runsOut = runsOut;
    this.#steps = 0;
    const goesOn = this.#readPlain(at, state, previous);
    this.spent += this.#steps;
    return goesOn;
  }

  /** As `#read`, up to the first byte that is more than itself. */
  #readPlain(from: number, begin: number, before: number): boolean {
    const automaton = this.#automaton;
    const { classOf } = automaton;
    const special = this.#special;
    const bytes = this.#bytes;
    const to = Math.min(this.#to, from + MAX_STEPS);
    let state = begin;
    let previous = before;
    let at = from;
    for (; at < to && special[bytes[at]!] === 0; at++) {
      const next = automaton.step(state, classOf[bytes[at]!]!);
      if (automaton.depth(next) <= at - from) {
        this.#steps = at - from;
        // Only what stands next may take it back.
        if (at + 1 < this.#to && special[bytes[at + 1]!] === 0) return false;
        break;
      }
      previous = state;
      state = next;
      if (automaton.matchLength(state) > 0) return true;
    }
    this.#steps = at - from;
    return this.#read(at, undefined, NONE, 0, state, previous, at - from);
  }

  /** Reads `pending` from `index` on, then the bytes from `at` on. `count` letters were read here. */
  #read(
    at: number,
    inner: Spelling | undefined,
    pending: readonly number[],
    index: number,
    state: number,
    previous: number,
    count: number,
  ): boolean {
    /** The last letter does not belong here: a backspace has to take it back. */
    let wrong = false;
    for (;;) {
      if (++this.#steps > MAX_STEPS) return true;
      let byte: number;
      /** A spelling inside that begins here would come to the same as one that was looked at. */
      let plainly = false;
      if (index < pending.length) byte = pending[index++]!;
      else {
        if (at >= this.#to) return this.#runsOut || inner !== undefined;
        byte = this.#bytes[at]!;
        if (this.#levels > 0 && this.#mayBegin(byte, state) && (spellingLead(byte) === 1 || maybeSilent(this.#bytes, at, this.#to))) {
          if (this.#readSpelled(at, inner, state, previous, count)) return true;
          plainly = isSpelledPlainly(this.#bytes, at, this.#to);
        }
        at++;
      }
      if (inner !== undefined) {
        const progress = inner.next(byte, at);
        if (progress === "more") continue;
        if (progress === "none") return false;
        if (progress !== "nothing") {
          pending = [...inner.bytes, ...(progress === "bytes-before" ? [byte] : []), ...pending.slice(index)];
          index = 0;
        }
        inner = undefined;
        continue;
      }
      if (this.#levels > 1 && !plainly && this.#mayBegin(byte, state)) {
        if (this.#read(at, Spelling.begin(byte, at - 1), pending, index, state, previous, count)) return true;
      }
      if (isSkipped(byte)) continue;
      if (byte === BACKSPACE) {
        if (previous > 0 && previous !== state && this.#read(at, undefined, pending, index, previous, -1, count - 1)) return true;
        continue;
      }
      if (wrong) return false;
      previous = state;
      state = this.#step(state, byte);
      if (this.#automaton.depth(state) < ++count) {
        if (index >= pending.length && !this.#mayTakeBack(at)) return false;
        wrong = true;
        continue;
      }
      if (this.#automaton.matchLength(state) > 0) return true;
    }
  }

  /** What may be spelled at `at` is read as what it spells. */
  #readSpelled(at: number, inner: Spelling | undefined, state: number, previous: number, count: number): boolean {
    const spelled = glance(this.#bytes, at, this.#to);
    if (spelled === NO_SPELLING) return false;
    if (spelled >= 0) return this.#read(at + glanceLength, inner?.copy(), single[spelled]!, 0, state, previous, count);
    const spelling = Spelling.begin(this.#bytes[at]!, at);
    let next = at + 1;
    let progress = "more";
    while (next < this.#to) {
      progress = spelling.next(this.#bytes[next]!, next);
      if (progress !== "more") break;
      next++;
    }
    if (progress === "more") {
      if (this.#runsOut) return true;
      progress = spelling.end();
    }
    if (progress === "none") return false;
    const after = progress === "bytes-before" ? next : next + 1;
    return this.#read(after, inner?.copy(), progress === "nothing" ? NONE : spelling.bytes, 0, state, previous, count);
  }

  #mayTakeBack(at: number): boolean {
    if (at >= this.#to) return this.#runsOut;
    const byte = this.#bytes[at]!;
    if (byte === BACKSPACE || isSkipped(byte)) return true;
    const lead = this.#levels > 0 ? spellingLead(byte) : 0;
    if (lead !== 1) return lead === 2 && maybeSilent(this.#bytes, at, this.#to);
    const spelled = glance(this.#bytes, at, this.#to);
    return spelled === UNCLEAR || spelled === BACKSPACE || (spelled >= 0 && (isSkipped(spelled) || spellingLead(spelled) === 1));
  }

  #mayBegin(byte: number, state: number): boolean {
    const lead = spellingLead(byte);
    return lead === 1 || (lead === 2 && state !== 0);
  }

  #step(state: number, byte: number): number {
    return this.#automaton.step(state, this.#automaton.classOf[byte]!);
  }
}

const single: readonly (readonly number[])[] = Array.from({ length: 128 }, (_, byte) => [byte]);
const NONE: readonly number[] = [];
