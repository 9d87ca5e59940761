import { Frontier } from "./frontier.ts";
import { type Hash, nodeHash } from "./hash.ts";

/** Leaf hashes by index, as the proofs read them. */
export interface Leaves {
  readonly size: number;
  leaf(index: number): Hash;
}

/** RFC 6962 §2.1: MTH(D[from:to]). */
export function rootOf(leaves: Leaves, from = 0, to = leaves.size): Hash {
  const tree = new Frontier();
  for (let index = from; index < to; index++) tree.add(leaves.leaf(index));
  return tree.root();
}

/**
 * RFC 6962 §2.1.1: PATH(index, D[size]): that the leaf is in the tree of that size.
 * @throws RangeError where the index is not in that tree
 */
export function inclusionProof(leaves: Leaves, index: number, size: number): Hash[] {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size && size <= leaves.size)) {
    throw new RangeError("the leaf is not in a tree of that size");
  }
  return path(leaves, index, 0, size);
}

function path(leaves: Leaves, index: number, from: number, to: number): Hash[] {
  if (to - from === 1) return [];
  const middle = from + split(to - from);
  return index < middle
    ? [...path(leaves, index, from, middle), rootOf(leaves, middle, to)]
    : [...path(leaves, index, middle, to), rootOf(leaves, from, middle)];
}

/**
 * RFC 6962 §2.1.2: PROOF(first, D[second]): that the tree of the second size only adds to the tree of the first.
 * @throws RangeError unless 0 < first ≤ second ≤ the tree's size
 */
export function consistencyProof(leaves: Leaves, first: number, second: number): Hash[] {
  if (!(Number.isSafeInteger(first) && first > 0 && first <= second && second <= leaves.size)) {
    throw new RangeError("the first tree must be in the second, and not be empty");
  }
  return subProof(leaves, first, 0, second, true);
}

function subProof(leaves: Leaves, first: number, from: number, to: number, whole: boolean): Hash[] {
  if (first === to - from) return whole ? [] : [rootOf(leaves, from, to)];
  const half = split(to - from);
  const middle = from + half;
  return first <= half
    ? [...subProof(leaves, first, from, middle, whole), rootOf(leaves, middle, to)]
    : [...subProof(leaves, first - half, middle, to, false), rootOf(leaves, from, middle)];
}

/** RFC 9162 §2.1.3.2: whether the proof puts the leaf at that index into the tree with that root. */
export function verifyInclusion(proof: readonly Hash[], leaf: Hash, index: number, size: number, root: Hash): boolean {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size)) return false;
  let fn = BigInt(index);
  let sn = BigInt(size) - 1n;
  let hash = leaf;
  for (const step of proof) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      hash = nodeHash(step, hash);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      hash = nodeHash(hash, step);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n && hash.equals(root);
}

/** RFC 9162 §2.1.4.2: whether the second tree only adds to the first. */
export function verifyConsistency(proof: readonly Hash[], first: number, firstRoot: Hash, second: number, secondRoot: Hash): boolean {
  if (!(Number.isSafeInteger(first) && Number.isSafeInteger(second) && first > 0 && first <= second)) return false;
  if (first === second) return proof.length === 0 && firstRoot.equals(secondRoot);
  if (proof.length === 0) return false;
  const steps = isPowerOfTwo(first) ? [firstRoot, ...proof] : [...proof];
  let fn = BigInt(first) - 1n;
  let sn = BigInt(second) - 1n;
  while ((fn & 1n) === 1n) {
    fn >>= 1n;
    sn >>= 1n;
  }
  let fr = steps[0] as Hash;
  let sr = fr;
  for (const step of steps.slice(1)) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      fr = nodeHash(step, fr);
      sr = nodeHash(step, sr);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      sr = nodeHash(sr, step);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n && fr.equals(firstRoot) && sr.equals(secondRoot);
}

/** RFC 6962 §2.1: the largest power of two smaller than n; n ≥ 2. */
function split(n: number): number {
  let half = 1;
  while (half * 2 < n) half *= 2;
  return half;
}

const isPowerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n)) && 2 ** Math.log2(n) === n;
