import { type Hash, inclusionProof, type Leaves, rootOf } from "@sallyport/evidence";

/**
 * RFC 6962 §2.1.1, of a log that lies in segments of a power of two records: the path within the entry's segment, then the one
 * over the segments' roots, which are the leaves of a tree of their own.
 *
 * @param size of the tree, in records
 * @param leavesOf a segment's leaf hashes, at least as many as are in the tree
 * @param rootOfFull the root of a full segment
 */
export function inclusionOver(
  { index, size, recordsPerSegment }: { index: number; size: number; recordsPerSegment: number },
  leavesOf: (segment: number) => readonly Hash[],
  rootOfFull: (segment: number) => Hash,
): Hash[] {
  const own = Math.floor(index / recordsPerSegment);
  const segments = Math.ceil(size / recordsPerSegment);
  const treeOf = (segment: number): Leaves => {
    const leaves = leavesOf(segment);
    return { size: Math.min(recordsPerSegment, size - segment * recordsPerSegment), leaf: (at) => leaves[at] as Hash };
  };
  const above: Leaves = {
    size: segments,
    leaf: (segment) => ((segment + 1) * recordsPerSegment <= size ? rootOfFull(segment) : rootOf(treeOf(segment))),
  };
  const within = treeOf(own);
  return [...inclusionProof(within, index % recordsPerSegment, within.size), ...inclusionProof(above, own, segments)];
}
