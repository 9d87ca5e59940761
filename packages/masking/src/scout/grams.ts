import type { Pattern } from "../automaton.ts";

const MULTIPLIER = 0x9e3779b1 | 0;
const SECOND = 0x85ebca6b | 0;

/** A set of numbers of up to 32 bits that may hold a few more than it was told: one bit at each of two hashes. */
class BitSet {
  readonly bits: Uint32Array;
  readonly shift: number;

  constructor(values: ReadonlySet<number>) {
    const log = Math.min(21, Math.max(13, Math.ceil(Math.log2(values.size * 96 + 1))));
    this.bits = new Uint32Array(1 << (log - 5));
    this.shift = 32 - log;
    for (const value of values) {
      for (const multiplier of [MULTIPLIER, SECOND]) {
        const hash = Math.imul(value, multiplier) >>> this.shift;
        this.bits[hash >>> 5]! |= 1 << (hash & 31);
      }
    }
  }
}

/** How values begin: every four bytes in a row among their first seven, every three among their first five, each two among their first eight. */
export class Grams {
  readonly #fours: BitSet;
  readonly #threes: BitSet;
  /** A bit for each pair of bytes. */
  readonly #pairs = new Uint32Array(2048);
  /** Letters of the shortest value. */
  readonly shortest: number;
  /** 1 for each byte that is in a value. */
  readonly inValue = new Uint8Array(256);
  /** 1 for each byte among a value's first eight. */
  readonly early = new Uint8Array(256);

  constructor(patterns: readonly Pattern[]) {
    const fours = new Set<number>();
    const threes = new Set<number>();
    for (const { bytes } of patterns) {
      for (const byte of bytes) for (const other of alike(byte)) this.inValue[other] = 1;
      for (let at = 0; at < 8; at++) for (const other of alike(bytes[at]!)) this.early[other] = 1;
      for (let at = 0; at < 4; at++) {
        for (const [a, b, c, d] of written(bytes, at, 4)) fours.add(a! | (b! << 8) | (c! << 16) | (d! << 24));
      }
      for (let at = 0; at < 3; at++) {
        for (const [a, b, c] of written(bytes, at, 3)) threes.add((a! << 16) | (b! << 8) | c!);
      }
      for (let at = 0; at < 7; at++) for (const [a, b] of written(bytes, at, 2)) this.#pairs[(a! << 3) | (b! >> 5)]! |= 1 << (b! & 31);
    }
    this.shortest = patterns.reduce((shortest, { bytes }) => Math.min(shortest, bytes.length), Number.POSITIVE_INFINITY);
    this.#fours = new BitSet(fours);
    this.#threes = new BitSet(threes);
  }

  get fourBits(): Uint32Array {
    return this.#fours.bits;
  }
  get fourShift(): number {
    return this.#fours.shift;
  }
  get threeBits(): Uint32Array {
    return this.#threes.bits;
  }
  get threeShift(): number {
    return this.#threes.shift;
  }

  pair(one: number, other: number): boolean {
    return ((this.#pairs[(one << 3) | (other >> 5)]! >>> (other & 31)) & 1) === 1;
  }

  erase(): void {
    for (const part of [this.#fours.bits, this.#threes.bits, this.#pairs, this.inValue, this.early]) part.fill(0);
  }
}

/** `+` and space are one letter. */
const alike = (byte: number): readonly number[] => (byte === 0x2b || byte === 0x20 ? [0x2b, 0x20] : [byte]);

/** Every way in which `count` letters from `at` on may stand. */
function written(bytes: Uint8Array, at: number, count: number): number[][] {
  let ways: number[][] = [[]];
  for (let each = at; each < at + count; each++) ways = ways.flatMap((way) => alike(bytes[each]!).map((byte) => [...way, byte]));
  return ways;
}

/** The hash under which a set of numbers is looked up first, and second. */
export const hashOf = (value: number, shift: number): number => Math.imul(value, MULTIPLIER) >>> shift;
export const secondHashOf = (value: number, shift: number): number => Math.imul(value, SECOND) >>> shift;
