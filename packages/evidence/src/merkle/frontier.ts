import { emptyRoot, type Hash, type HashText, hashOf, nodeHashText, textOf } from "./hash.ts";

/**
 * The right edge of a growing tree: the roots of its perfect subtrees, largest first. Enough to add leaves and to tell the
 * root, in memory logarithmic in the tree's size.
 */
export class Frontier {
  #size = 0;
  readonly #roots: HashText[] = [];

  /** How many leaves were added. */
  get size(): number {
    return this.#size;
  }

  /** Adds the next leaf's hash. */
  add(leaf: Hash): void {
    this.addText(textOf(leaf));
  }

  /** {@link add}, of a text. */
  addText(leaf: HashText): void {
    this.#carry(leaf, this.#size);
    this.#size += 1;
  }

  /**
   * Adds a perfect subtree of `2 ** level` leaves at once.
   * @throws RangeError where the tree's size is no multiple of that
   */
  addSubtree(root: Hash, level: number): void {
    const leaves = 2 ** level;
    if (this.#size % leaves !== 0) throw new RangeError("a subtree must be added at a multiple of its size");
    this.#carry(textOf(root), this.#size / leaves);
    this.#size += leaves;
  }

  /** RFC 6962 §2.1: MTH of all leaves added so far. */
  root(): Hash {
    let root: HashText | undefined;
    for (let at = this.#roots.length - 1; at >= 0; at--) {
      root = root === undefined ? this.#roots[at] : nodeHashText(this.#roots[at] as HashText, root);
    }
    return root === undefined ? emptyRoot : hashOf(root);
  }

  clone(): Frontier {
    const copy = new Frontier();
    copy.#size = this.#size;
    copy.#roots.push(...this.#roots);
    return copy;
  }

  #carry(hash: HashText, position: number): void {
    let carried = hash;
    for (let rest = position; rest % 2 === 1; rest = (rest - 1) / 2) carried = nodeHashText(this.#roots.pop() as HashText, carried);
    this.#roots.push(carried);
  }
}
