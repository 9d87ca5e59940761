/**
 * The automaton over a layer's bytes, as they are and as what they spell. At each byte that may begin a spelling of another byte (`%2f`,
 * `\u002f`, `&#47;`) or of nothing (a terminal escape, a zero-width character) a second *thread* reads on as if it did. Threads that come to the
 * same state are one again, which in benign text is within a few bytes. A spelling may itself be spelled (`%252f`): two levels are seen through,
 * less one for each base64 or hex around the layer.
 */
import type { Form } from "./form.ts";
import { glance, glanceLength, isSpelledPlainly, maybeSilent, NO_SPELLING, WIDE } from "./glance.ts";
import { BACKSPACE, isSkipped, PERCENT } from "./letters.ts";
import type { Origin, Search } from "./search.ts";
import { Spelling, spellingLead } from "./spelling.ts";
import { Thread, trimmed } from "./thread.ts";

const began = ({ outer, inner }: Thread): number => (outer?.start ?? 0) + (inner?.start ?? 0);

/** Never reached but by text made for it: the threads least far in a value are given up then. */
const MAX_THREADS = 64;
/** More threads than this are read byte by byte. */
const FEW_THREADS = 8;

const NOTHING = new Uint8Array(0);
/** How far spellings are followed before threads are used. */
const FEW_BYTES = 48;

const looks = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) looks[byte] = spellingLead(byte) > 0 || byte === BACKSPACE || isSkipped(byte) ? 1 : 0;

export class Threads {
  readonly #search: Search;
  readonly #origin: Origin;
  /** How many levels of spelling are seen through here. */
  readonly #levels: number;
  /** Whether a value begins with a byte beyond ASCII. */
  readonly #wideFirst: boolean;
  #threads: Thread[] = [new Thread()];
  /** The bytes at hand, where they end, and what to add to a place in them for an index. */
  #bytes: Uint8Array = NOTHING;
  #to = 0;
  #base = 0;

  /** `depth` counts the base64 and hex encodings around the layer, 0 to 2. */
  constructor(search: Search, depth: number, origin: Origin) {
    this.#search = search;
    this.#origin = origin;
    this.#levels = 2 - depth;
    this.#wideFirst = search.automaton.firstBytes.subarray(0x80).includes(1);
  }

  /** Reads `bytes[from]` to `bytes[to - 1]`; `base` is what to add to a place in them for an index. */
  read(bytes: Uint8Array, from: number, to: number, base: number): void {
    const { automaton } = this.#search;
    const { table, classOf, denseEnd } = automaton;
    this.#bytes = bytes;
    this.#base = base;
    this.#to = to;
    let at = from;
    while (at < to) {
      const thread = this.#threads[0]!;
      const sole = this.#threads.length === 1 && thread.outer === undefined && thread.inner === undefined;
      if (!sole || looks[bytes[at]!] === 1) {
        let next = sole ? this.#lookAhead(thread, bytes, at, to, base) : at;
        if (next === at && (sole || this.#areFree())) next = this.#readFreely(bytes, at, to, base);
        if (next === at) this.#readSlowly(bytes[at++]!, base + at - 1);
        else at = next;
        continue;
      }
      this.#align(thread, base + at);
      const begin = at;
      let state = thread.state;
      let previous = thread.previous;
      if (state < denseEnd) {
        for (; at < to; at++) {
          const next = table[state + classOf[bytes[at]!]!]!;
          if (next >= denseEnd) break;
          previous = state;
          state = next;
        }
      }
      while (at < to && looks[bytes[at]!] === 0) {
        previous = state;
        state = automaton.step(state, classOf[bytes[at]!]!);
        at++;
        if (state < denseEnd) break;
        const length = automaton.matchLength(state);
        if (length > 0) {
          thread.decoded += at - begin;
          this.#found(thread, length, automaton.matchEntry(state), base + at - 1);
          thread.decoded -= at - begin;
        }
      }
      thread.decoded += at - begin;
      thread.state = state;
      thread.previous = previous;
    }
  }

  /** Layer index of the first byte that may belong to an occurrence not yet complete; Infinity when there is none. */
  partial(): number {
    let first = Number.POSITIVE_INFINITY;
    const { automaton } = this.#search;
    for (const thread of this.#threads) {
      const depth = automaton.openDepth(thread.state);
      if (depth > 0) first = Math.min(first, thread.startOf(depth));
      // A backspace may take the last byte back; where that only made the partial match longer, it began at the same place. What it
      // makes of a complete one begins inside that.
      const complete = automaton.matchLength(thread.state) > 0;
      const previous = thread.previous > 0 && !complete ? automaton.openDepth(thread.previous) : 0;
      if (previous > 0 && previous >= depth) first = Math.min(first, thread.startOf(previous + 1));
      const spelling = thread.outer ?? thread.inner;
      if (spelling !== undefined) first = Math.min(first, thread.inner?.start ?? spelling.start, spelling.start);
    }
    return first;
  }

  /** The layer's bytes end here, the last at `last`: completes what needs no more bytes, and starts afresh. */
  finish(last: number): void {
    this.#bytes = NOTHING;
    this.#to = 0;
    const threads = this.#threads;
    const [first] = threads;
    if (threads.length > 1 || first!.outer !== undefined || first!.inner !== undefined) this.#endSpellings(last);
    if (threads.length > 1) this.#threads = [new Thread()];
    else first!.reset();
  }

  /** Where the bytes end in a spelling, it stands for what it would before another byte. */
  #endSpellings(at: number): void {
    for (const thread of [...this.#threads]) {
      const { outer } = thread;
      if (outer !== undefined) {
        thread.outer = undefined;
        if (outer.end() === "bytes-before") for (const byte of outer.bytes) this.#readInner(thread, byte, outer.start, at, this.#threads);
      }
    }
    for (const thread of this.#threads) {
      const { inner } = thread;
      if (inner !== undefined && thread.outer === undefined) {
        thread.inner = undefined;
        if (inner.end() === "bytes-before") for (const byte of inner.bytes) this.#readByte(thread, byte, inner.start, at, []);
      }
    }
  }

  /**
   * At a byte that needs a look, with one thread: reads on for as long as a second one would come to nothing, and returns up to where;
   * `at` when it may come to something.
   */
  #lookAhead(thread: Thread, bytes: Uint8Array, at: number, to: number, base: number): number {
    const byte = bytes[at]!;
    if (isSkipped(byte)) return at + 1;
    if (byte === BACKSPACE) return thread.previous > 0 && thread.previous !== thread.state ? at : at + 1;
    const lead = this.#levels === 0 ? 0 : spellingLead(byte);
    if (lead === 1) return this.#lookBehindSpellings(thread, bytes, at, to, base);
    if (lead === 2 && thread.state !== 0 && maybeSilent(bytes, at, to)) return at;
    this.#readByte(thread, byte, base + at, base + at, this.#threads);
    return at + 1;
  }

  /**
   * Follows a few spellings and what comes after them both as they stand and as what they spell, until both ways are in the same state,
   * or the second at the root. Only through dense states, which complete nothing.
   */
  #lookBehindSpellings(thread: Thread, bytes: Uint8Array, from: number, to: number, base: number): number {
    const { automaton } = this.#search;
    const { classOf, denseEnd } = automaton;
    let plain = thread.state;
    let spelled = plain;
    let previous = thread.previous;
    let at = from;
    for (const end = Math.min(to, from + FEW_BYTES); at < end; ) {
      if (plain >= denseEnd || spelled >= denseEnd) return from;
      const byte = bytes[at]!;
      if (looks[byte] === 1) {
        if (spellingLead(byte) !== 1) return from;
        const found = glance(bytes, at, to);
        if (found !== NO_SPELLING) {
          const decoded = found <= WIDE ? WIDE - found : found;
          if (found < 0 && found > WIDE) return from;
          if (looks[decoded] === 1 && !(isSkipped(decoded) && spelled === 0)) return from;
          const next = isSkipped(decoded) ? spelled : automaton.step(spelled, classOf[decoded]!);
          // A character of several bytes is followed only when its first leads nowhere and none of the others can begin a value.
          if (found <= WIDE && (next !== 0 || this.#wideFirst)) return from;
          // Mixed ways: this spelling read after the earlier ones as they stand, and as it stands after the earlier ones read.
          const mixed = isSkipped(decoded) ? plain : automaton.step(plain, classOf[decoded]!);
          if (mixed !== 0 && mixed !== next) return from;
          const stale = automaton.step(spelled, classOf[byte]!);
          const stands = automaton.step(plain, classOf[byte]!);
          if (stale !== 0 && stale !== stands) return from;
          for (const after = at + glanceLength; at < after; at++) {
            previous = plain;
            if (!isSkipped(bytes[at]!)) plain = automaton.step(plain, classOf[bytes[at]!]!);
            if (plain >= denseEnd) return from;
          }
          spelled = next;
          if (spelled === 0 || spelled === plain) break;
          continue;
        }
      }
      previous = plain;
      plain = automaton.step(plain, classOf[byte]!);
      spelled = automaton.step(spelled, classOf[byte]!);
      at++;
      if (spelled === 0 || spelled === plain) break;
    }
    // Where both are in a value, they differ in where it began.
    if (spelled !== 0) return from;
    if (plain >= denseEnd) return from;
    this.#align(thread, base + from);
    thread.decoded += at - from;
    thread.previous = previous;
    thread.state = plain;
    return at;
  }

  /** Whether there are a few threads, all of them at no spelling. */
  #areFree(): boolean {
    const threads = this.#threads;
    if (threads.length > FEW_THREADS) return false;
    for (let each = 0; each < threads.length; each++) {
      const { outer, inner } = threads[each]!;
      if (outer !== undefined || inner !== undefined) return false;
    }
    return true;
  }

  /**
   * With every thread at no spelling: reads plain bytes up to the next that needs a look, or a spelling that is plain to see, through every
   * thread; returns up to where, `from` where it has to be followed byte by byte.
   */
  #readFreely(bytes: Uint8Array, from: number, to: number, base: number): number {
    let at = from;
    while (at < to && looks[bytes[at]!] === 0) {
      const threads = this.#threads;
      if (threads.length === 1) return at;
      for (let each = 0; each < threads.length; each++) this.#readByte(threads[each]!, bytes[at]!, base + at, base + at, threads);
      this.#unite();
      at++;
    }
    if (at > from || this.#levels === 0 || spellingLead(bytes[at]!) !== 1) return at;
    const spelled = glance(bytes, at, to);
    return spelled < 0 || looks[spelled] === 1 ? from : this.#readBoth(spelled, glanceLength, at);
  }

  /** The bytes from `at` on both as they stand and as `spelled`, which they spell, none of them being spelled itself. Returns where they end. */
  #readBoth(spelled: number, length: number, at: number): number {
    const { automaton } = this.#search;
    const { classOf } = automaton;
    const bytes = this.#bytes;
    const index = this.#base + at;
    const threads = this.#threads;
    for (let each = 0; each < threads.length; each++) {
      const thread = threads[each]!;
      this.#align(thread, index);
      let { state } = thread;
      for (let next = at; next < at + length; next++) {
        state = automaton.step(state, classOf[bytes[next]!]!);
        // It completes a value as it stands.
        if (automaton.matchLength(state) > 0) return at;
      }
    }
    const read: Thread[] = [];
    for (let each = 0; each < threads.length; each++) {
      const thread = threads[each]!;
      let { state, previous } = thread;
      for (let next = at; next < at + length; next++) {
        previous = state;
        state = automaton.step(state, classOf[bytes[next]!]!);
      }
      // Those that are spelled are at no spelling any more, and will do in place of one at the root.
      if (state === 0 && previous <= 0) continue;
      const last = read[read.length - 1];
      // Began within these bytes, as the last one did.
      if (last !== undefined && last.state === state && last.previous === previous && automaton.depth(state) <= length) continue;
      const fork = thread.fork();
      fork.state = state;
      fork.previous = previous;
      fork.decoded += length;
      read.push(fork);
    }
    const percent = bytes[at] === PERCENT;
    for (let each = 0; each < threads.length; each++) {
      const thread = threads[each]!;
      if (percent) thread.outerPercent = thread.decoded;
      this.#readByte(thread, spelled, index, index + length - 1, threads);
      read.push(thread);
    }
    this.#threads = read;
    if (read.length > 1) this.#unite();
    return at + length;
  }

  /** One byte, through every thread. */
  #readSlowly(byte: number, at: number): void {
    const threads = this.#threads;
    const count = threads.length;
    for (let each = 0; each < count; each++) this.#readOuter(threads[each]!, byte, at, threads);
    if (threads.length > 1) this.#unite();
  }

  #readOuter(thread: Thread, byte: number, at: number, threads: Thread[]): void {
    const spelling = thread.outer;
    if (spelling === undefined) {
      if (this.#levels > 0 && this.#mayBegin(thread, byte)) {
        const fork = thread.fork();
        fork.outer = Spelling.begin(byte, at);
        threads.push(fork);
      }
      this.#readInner(thread, byte, at, at, threads);
      return;
    }
    const progress = spelling.next(byte, at);
    if (progress === "more") return;
    thread.outer = undefined;
    if (progress === "nothing") return;
    if (progress === "none") {
      thread.dead = true;
      return;
    }
    const last = progress === "bytes" ? at : at - 1;
    if (spelling.lead === PERCENT) thread.outerPercent = thread.decoded;
    // A character of several bytes: threads that its first byte forks read the others too.
    const group = [thread];
    for (const decoded of spelling.bytes) {
      const count = group.length;
      for (let each = 0; each < count; each++) this.#readInner(group[each]!, decoded, spelling.start, last, group);
    }
    if (progress === "bytes-before") {
      const count = group.length;
      for (let each = 0; each < count; each++) if (!group[each]!.dead) this.#readOuter(group[each]!, byte, at, group);
    }
    for (let each = 1; each < group.length; each++) threads.push(group[each]!);
  }

  #readInner(thread: Thread, byte: number, start: number, at: number, threads: Thread[]): void {
    if (thread.dead) return;
    const spelling = thread.inner;
    if (spelling === undefined) {
      if (this.#levels > 1 && this.#mayBegin(thread, byte) && !(start === at && isSpelledPlainly(this.#bytes, at - this.#base, this.#to))) {
        const fork = thread.fork();
        fork.inner = Spelling.begin(byte, start);
        threads.push(fork);
      }
      this.#readByte(thread, byte, start, at, threads);
      return;
    }
    const progress = spelling.next(byte, start);
    if (progress === "more") return;
    thread.inner = undefined;
    if (progress === "nothing") return;
    if (progress === "none") {
      thread.dead = true;
      return;
    }
    if (spelling.lead === PERCENT) thread.innerPercent = thread.decoded;
    for (const decoded of spelling.bytes) this.#readByte(thread, decoded, spelling.start, progress === "bytes" ? at : start - 1, threads);
    if (progress === "bytes-before") this.#readInner(thread, byte, start, at, threads);
  }

  /** What is spelled as nothing matters inside a partial match only. */
  #mayBegin(thread: Thread, byte: number): boolean {
    const lead = spellingLead(byte);
    return lead === 1 || (lead === 2 && thread.state !== 0);
  }

  /** One decoded byte, which came from the layer's bytes `start` to `at`. */
  #readByte(thread: Thread, byte: number, start: number, at: number, threads: Thread[]): void {
    if (isSkipped(byte)) return;
    if (byte === BACKSPACE) {
      if (thread.previous > 0 && thread.previous !== thread.state) {
        const fork = thread.fork();
        fork.state = thread.previous;
        fork.decoded--;
        fork.previous = -1;
        fork.startDecoded = -1;
        threads.push(fork);
      }
      return;
    }
    const { automaton } = this.#search;
    this.#align(thread, start);
    thread.previous = thread.state;
    thread.state = automaton.step(thread.state, automaton.classOf[byte]!);
    thread.decoded++;
    const length = automaton.matchLength(thread.state);
    if (length > 0) this.#found(thread, length, automaton.matchEntry(thread.state), at);
  }

  /** Begins a segment when the thread's next byte, which starts at `index`, does not directly follow its last. */
  #align(thread: Thread, index: number): void {
    const { segment } = thread;
    if (index === segment.index + thread.decoded - segment.decoded) return;
    const depth = this.#search.automaton.depth(thread.state);
    if (depth > 0 && index - thread.startOf(depth) > this.#search.maxSpan) thread.state = 0;
    if (thread.state === 0) {
      thread.segment = { decoded: thread.decoded, index, before: undefined, length: 0 };
      return;
    }
    const before = segment.length > 2 * depth + 64 ? trimmed(segment, thread.decoded - depth - 1) : segment;
    thread.segment = { decoded: thread.decoded, index, before, length: before.length + 1 };
  }

  #found(thread: Thread, length: number, entry: number, at: number): void {
    const first = thread.indexOf(thread.decoded - length);
    const origin = this.#origin;
    const begin = thread.decoded - length;
    const percent = (thread.outerPercent >= begin ? 1 : 0) + (thread.innerPercent >= begin ? 1 : 0);
    const form: Form = { kind: "text", percent };
    this.#search.found({
      ...origin.span(first, at),
      entry,
      form: origin.form(form, first, at),
    });
  }

  /**
   * Of two alike: the one whose partial match began earlier, with a letter that is spelled (`\\"` for `"`, `%36` for `6`) rather than with
   * the last byte of its spelling. Of terminal sequences that differ in where they began only, the later one can get longer.
   */
  #isBetter(thread: Thread, other: Thread): boolean {
    const depth = this.#search.automaton.depth(thread.state);
    if (depth === 0) return began(thread) < began(other);
    const earlier = other.startOf(depth) - thread.startOf(depth);
    return earlier !== 0 ? earlier > 0 : began(thread) > began(other);
  }

  /** Threads that will read whatever follows alike become one; at the root, any other that is at no spelling will do instead. */
  #unite(): void {
    const threads = this.#threads;
    let kept = 0;
    let free = 0;
    for (const thread of threads) {
      if (thread.dead) continue;
      const same = indexOfAlike(threads, kept, thread);
      if (same >= 0) {
        if (this.#isBetter(thread, threads[same]!)) threads[same] = thread;
        continue;
      }
      threads[kept++] = thread;
      if (thread.outer === undefined && thread.inner === undefined) free++;
    }
    threads.length = kept;
    if (free > 1) {
      const root = indexOfRoot(threads);
      if (root >= 0 && threads[root]!.previous <= 0) threads.splice(root, 1);
    }
    if (threads.length > MAX_THREADS) {
      const { automaton } = this.#search;
      const [literal, ...others] = threads;
      others.sort((one, other) => automaton.depth(other.state) - automaton.depth(one.state));
      this.#threads = [literal!, ...others.slice(0, MAX_THREADS - 1)];
    }
  }
}

function indexOfRoot(threads: readonly Thread[]): number {
  for (let each = 0; each < threads.length; each++) {
    const { state, outer, inner } = threads[each]!;
    if (state === 0 && outer === undefined && inner === undefined) return each;
  }
  return -1;
}

function indexOfAlike(threads: readonly Thread[], count: number, thread: Thread): number {
  for (let each = 0; each < count; each++) if (threads[each]!.alike(thread)) return each;
  return -1;
}
