import { Layer } from "./layer.ts";
import type { MaskSet } from "./mask-set.ts";
import { input, type Match, type Search } from "./search.ts";

/** A layer over a stream of its own, in which `found` is told what values occur; `undefined` where the set holds none. */
export function searchOf(set: MaskSet, found: (match: Match) => void, heldByBits = true): Layer | undefined {
  const { automaton, numbers, maxSpan } = set;
  if (automaton === undefined) return undefined;
  const search: Search = {
    automaton,
    firstBytes: automaton.firstBytes,
    numbers,
    maxSpan,
    heldByBits,
    found,
    layer: (depth, origin) => new Layer(search, depth, origin),
  };
  return new Layer(search, 0, input);
}
