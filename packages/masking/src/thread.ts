import type { Spelling } from "./spelling.ts";

/** From byte `decoded` of a thread on, its bytes are those of the layer from `index` on, one for one, until the next segment. */
export interface Segment {
  readonly decoded: number;
  readonly index: number;
  readonly before: Segment | undefined;
  readonly length: number;
}

const BEGINNING: Segment = { decoded: 0, index: 0, before: undefined, length: 0 };

export class Thread {
  state = 0;
  /** State before the last byte, to which a backspace goes back; −1 when not known. */
  previous = -1;
  /** Bytes read so far, after decoding. */
  decoded = 0;
  segment = BEGINNING;
  outer: Spelling | undefined;
  inner: Spelling | undefined;
  /** What `decoded` was at the last letter that was percent-encoded, by level; −1 without one. */
  outerPercent = -1;
  innerPercent = -1;
  dead = false;
  /** `decoded` and layer index of the partial match's first byte, when last looked for. */
  startDecoded = -1;
  startIndex = 0;

  /** As new. */
  reset(): void {
    this.state = 0;
    this.previous = -1;
    this.decoded = 0;
    this.segment = BEGINNING;
    this.outer = undefined;
    this.inner = undefined;
    this.outerPercent = -1;
    this.innerPercent = -1;
    this.dead = false;
    this.startDecoded = -1;
  }

  fork(): Thread {
    const fork = new Thread();
    fork.state = this.state;
    fork.previous = this.previous;
    fork.decoded = this.decoded;
    fork.segment = this.segment;
    fork.outer = this.outer?.copy();
    fork.inner = this.inner?.copy();
    fork.outerPercent = this.outerPercent;
    fork.innerPercent = this.innerPercent;
    fork.startDecoded = this.startDecoded;
    fork.startIndex = this.startIndex;
    return fork;
  }

  /** Layer index of byte `decoded`. */
  indexOf(decoded: number): number {
    let segment = this.segment;
    while (segment.decoded > decoded && segment.before !== undefined) segment = segment.before;
    return segment.index + decoded - segment.decoded;
  }

  /** Layer index of the first of the last `depth` bytes. */
  startOf(depth: number): number {
    const decoded = this.decoded - depth;
    if (decoded !== this.startDecoded) {
      this.startIndex = this.indexOf(decoded);
      this.startDecoded = decoded;
    }
    return this.startIndex;
  }

  alike(other: Thread): boolean {
    if (this.state !== other.state) return false;
    const back = Math.max(0, this.previous) === Math.max(0, other.previous);
    return back && same(this.outer, other.outer) && same(this.inner, other.inner);
  }
}

const same = (one: Spelling | undefined, other: Spelling | undefined): boolean =>
  one === undefined || other === undefined ? one === other : one.equals(other);

/** The chain of segments as far back as byte `decoded`. */
export function trimmed(segment: Segment, decoded: number): Segment {
  const needed: Segment[] = [];
  for (let each: Segment | undefined = segment; each !== undefined; each = each.before) {
    needed.push(each);
    if (each.decoded <= decoded) break;
  }
  let chain: Segment | undefined;
  let length = 0;
  for (const { decoded: from, index } of needed.reverse()) chain = { decoded: from, index, before: chain, length: length++ };
  return chain!;
}
