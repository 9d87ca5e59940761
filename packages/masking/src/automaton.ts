/**
 * Aho–Corasick over bytes. Bytes that behave alike share a class. States up to `DENSE_DEPTH` letters deep have a full row in one
 * typed array, because benign text hardly ever leaves them; deeper states keep their few edges and a failure link, so a long
 * value costs a few words a byte. A state is a number: below `denseEnd` it is the offset of its row, from there on it is
 * `denseEnd` + the deep state's index. Patterns are longer than `DENSE_DEPTH`, so only deep states complete one.
 *
 * Failure links of single-edge states skip states that would fail on the same letter (Knuth, Morris, Pratt 1977), which
 * keeps the fall from a periodic pattern short.
 */
import { AMPERSAND, BACKSLASH, BACKSPACE, ESCAPE, isSkipped, PERCENT, SPELLING_LEADS, ZERO_WIDTH_LEADS } from "./letters.ts";

const DENSE_DEPTH = 2;
/** Set in a table entry whose byte needs a closer look than the step alone. */
const LOOK = 1 << 30;

/** The shortest pattern, in bytes. */
export const MIN_PATTERN_BYTES = 8;

/** A pattern without skipped bytes, and the number of what it stands for. */
export interface Pattern {
  readonly bytes: Uint8Array;
  readonly entry: number;
}

export class Automaton {
  /** Byte → class. */
  readonly classOf: Uint8Array;
  /** Row offset + class → next state; an entry ≥ `denseEnd` is a deep state, or carries `LOOK`. */
  readonly table: Int32Array;
  readonly denseEnd: number;
  /** Bytes of the longest pattern. */
  readonly longest: number;
  /** First bytes of patterns. */
  readonly firstBytes: Uint8Array;
  readonly #shift: number;
  readonly #denseDepth: Uint8Array;
  readonly #deepDepth: Int32Array;
  readonly #edgeClass: Int16Array;
  readonly #edgeTarget: Int32Array;
  readonly #edgeNext: Int32Array;
  readonly #firstEdge: Int32Array;
  readonly #fail: Int32Array;
  readonly #outLength: Int32Array;
  readonly #outEntry: Int32Array;

  constructor(patterns: readonly Pattern[]) {
    const { classOf, classes } = classesOf(patterns);
    const trie = buildTrie(patterns, classOf);
    const shift = Math.ceil(Math.log2(classes));
    let dense = 0;
    while (dense < trie.count && trie.depth[trie.order[dense]!]! <= DENSE_DEPTH) dense++;
    const deep = trie.count - dense;
    const denseEnd = dense << shift;
    const stateOf = new Int32Array(trie.count);
    for (let rank = 0; rank < trie.count; rank++) stateOf[trie.order[rank]!] = rank < dense ? rank << shift : denseEnd + rank - dense;

    this.classOf = classOf;
    this.denseEnd = denseEnd;
    this.longest = patterns.reduce((longest, { bytes }) => Math.max(longest, bytes.length), 0);
    this.firstBytes = new Uint8Array(256);
    for (const { bytes } of patterns) {
      for (let byte = 0; byte < 256; byte++) if (classOf[byte] === classOf[bytes[0]!]) this.firstBytes[byte] = 1;
    }
    this.#shift = shift;
    this.table = new Int32Array(denseEnd);
    this.#denseDepth = new Uint8Array(dense);
    this.#deepDepth = new Int32Array(deep);
    this.#firstEdge = new Int32Array(deep).fill(-1);
    this.#edgeClass = new Int16Array(trie.count);
    this.#edgeTarget = new Int32Array(trie.count);
    this.#edgeNext = new Int32Array(trie.count);
    this.#fail = new Int32Array(deep);
    this.#outLength = new Int32Array(deep);
    this.#outEntry = new Int32Array(deep);
    let edges = 0;
    const plainFail = new Int32Array(deep);

    // Breadth first: whatever a state's failure link leads to is complete before the state itself.
    for (let rank = 0; rank < trie.count; rank++) {
      const node = trie.order[rank]!;
      const parent = trie.parent[node]!;
      const parentRank = trie.rank[parent]!;
      let fail = 0;
      if (trie.depth[node]! > 1) {
        const parentFail = parentRank < dense ? trie.denseFail[parentRank]! : plainFail[parentRank - dense]!;
        fail = this.step(parentFail, trie.letter[node]!);
      }
      if (rank < dense) {
        trie.denseFail[rank] = fail;
        this.#denseDepth[rank] = trie.depth[node]!;
        const row = rank << shift;
        if (rank > 0) for (let letter = 0; letter < classes; letter++) this.table[row + letter] = this.table[fail + letter]!;
        for (let child = trie.firstChild[node]!; child >= 0; child = trie.nextSibling[child]!) {
          this.table[row + trie.letter[child]!] = stateOf[child]!;
        }
        continue;
      }
      const index = rank - dense;
      plainFail[index] = fail;
      this.#deepDepth[index] = trie.depth[node]!;
      for (let child = trie.firstChild[node]!; child >= 0; child = trie.nextSibling[child]!) {
        this.#edgeClass[edges] = trie.letter[child]!;
        this.#edgeTarget[edges] = stateOf[child]!;
        this.#edgeNext[edges] = this.#firstEdge[index]!;
        this.#firstEdge[index] = edges++;
      }
      const failDeep = fail - denseEnd;
      const own = trie.entry[node]!;
      if (own >= 0) {
        this.#outLength[index] = trie.depth[node]!;
        this.#outEntry[index] = own;
      } else if (failDeep >= 0) {
        this.#outLength[index] = this.#outLength[failDeep]!;
        this.#outEntry[index] = this.#outEntry[failDeep]!;
      }
      const edge = this.#firstEdge[index]!;
      const failEdge = failDeep >= 0 ? this.#firstEdge[failDeep]! : -1;
      const same =
        edge >= 0 &&
        failEdge >= 0 &&
        this.#edgeNext[edge] === -1 &&
        this.#edgeNext[failEdge] === -1 &&
        this.#edgeClass[edge] === this.#edgeClass[failEdge];
      this.#fail[index] = same ? this.#fail[failDeep]! : fail;
    }
    this.#markLooks(dense);
  }

  /** The state after one more byte of class `letter`. */
  step(state: number, letter: number): number {
    let at = state;
    for (;;) {
      if (at < this.denseEnd) return this.table[at + letter]! & ~LOOK;
      const index = at - this.denseEnd;
      for (let edge = this.#firstEdge[index]!; edge >= 0; edge = this.#edgeNext[edge]!) {
        if (this.#edgeClass[edge] === letter) return this.#edgeTarget[edge]!;
      }
      at = this.#fail[index]!;
    }
  }

  /** How many bytes of a pattern the state stands for; 0 at the root. */
  depth(state: number): number {
    return state < this.denseEnd ? this.#denseDepth[state >> this.#shift]! : this.#deepDepth[state - this.denseEnd]!;
  }

  /** As `depth`, of what may still become longer: a pattern's last state stands for what else may have begun in it. */
  openDepth(state: number): number {
    let at = state;
    while (at >= this.denseEnd && this.#firstEdge[at - this.denseEnd]! < 0) at = this.#fail[at - this.denseEnd]!;
    return this.depth(at);
  }

  /** Length of the longest pattern that ends in this state; 0 when none does. */
  matchLength(state: number): number {
    return state < this.denseEnd ? 0 : this.#outLength[state - this.denseEnd]!;
  }

  /** The entry of the longest pattern that ends in this state. */
  matchEntry(state: number): number {
    return this.#outEntry[state - this.denseEnd]!;
  }

  /** Overwrites every byte of the patterns. */
  erase(): void {
    for (const part of [
      this.table,
      this.classOf,
      this.firstBytes,
      this.#edgeClass,
      this.#edgeTarget,
      this.#edgeNext,
      this.#firstEdge,
      this.#fail,
    ])
      part.fill(0);
    this.#outLength.fill(0);
  }

  /** Marks the letters at which a scan of dense states must stop: spellings, backspace and, inside a partial match, what may be skipped. */
  #markLooks(dense: number): void {
    for (const byte of [...SPELLING_LEADS, BACKSPACE]) {
      for (let rank = 0; rank < dense; rank++) this.table[(rank << this.#shift) + this.classOf[byte]!]! |= LOOK;
    }
    for (const byte of [ESCAPE, ...ZERO_WIDTH_LEADS, 0]) {
      for (let rank = 1; rank < dense; rank++) this.table[(rank << this.#shift) + this.classOf[byte]!]! |= LOOK;
    }
  }
}

/** Bytes in no pattern share class 0, skipped bytes class 1; `+` and space are one letter, so that form encoding needs no view of its own. */
function classesOf(patterns: readonly Pattern[]): { classOf: Uint8Array; classes: number } {
  const used = new Set<number>([BACKSPACE, ESCAPE, PERCENT, AMPERSAND, BACKSLASH, ...ZERO_WIDTH_LEADS]);
  for (const { bytes } of patterns) for (const byte of bytes) used.add(byte);
  const classOf = new Uint8Array(256);
  let classes = 2;
  for (const byte of used) if (!isSkipped(byte) && byte !== 0x2b && byte !== 0x20) classOf[byte] = classes++;
  if (used.has(0x2b) || used.has(0x20)) {
    classOf[0x2b] = classes;
    classOf[0x20] = classes++;
  }
  for (let byte = 0; byte < 256; byte++) if (isSkipped(byte)) classOf[byte] = 1;
  return { classOf, classes };
}

function buildTrie(patterns: readonly Pattern[], classOf: Uint8Array) {
  const capacity = patterns.reduce((sum, { bytes }) => sum + bytes.length, 1);
  const letter = new Int16Array(capacity);
  const parent = new Int32Array(capacity);
  const depth = new Int32Array(capacity);
  const firstChild = new Int32Array(capacity).fill(-1);
  const nextSibling = new Int32Array(capacity).fill(-1);
  const entry = new Int32Array(capacity).fill(-1);
  let count = 1;
  for (const pattern of patterns) {
    if (pattern.bytes.length < MIN_PATTERN_BYTES) throw new RangeError(`a pattern has at least ${MIN_PATTERN_BYTES} bytes`);
    let node = 0;
    for (const byte of pattern.bytes) {
      const wanted = classOf[byte]!;
      let child = firstChild[node]!;
      while (child >= 0 && letter[child] !== wanted) child = nextSibling[child]!;
      if (child < 0) {
        child = count++;
        letter[child] = wanted;
        parent[child] = node;
        depth[child] = depth[node]! + 1;
        nextSibling[child] = firstChild[node]!;
        firstChild[node] = child;
      }
      node = child;
    }
    if (entry[node] === -1) entry[node] = pattern.entry;
  }
  const order = new Int32Array(count);
  const rank = new Int32Array(count);
  let filled = 1;
  for (let at = 0; at < filled; at++) {
    const node = order[at]!;
    rank[node] = at;
    for (let child = firstChild[node]!; child >= 0; child = nextSibling[child]!) order[filled++] = child;
  }
  return { count, letter, parent, depth, firstChild, nextSibling, entry, order, rank, denseFail: new Int32Array(count) };
}
