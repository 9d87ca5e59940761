import { Layer } from "./layer.ts";
import type { MaskSet } from "./mask-set.ts";
import { input, type Match, type Search } from "./search.ts";

/**
 * A layer over a stream of its own, in which `found` is told what values occur; `undefined` where the set holds none.
 *
 * @param options `heldByBits`: see `Search`; `numbers`: whether JSON numbers are looked at; `scouted`: false to read even what holds nothing
 */
export function searchOf(
  set: MaskSet,
  found: (match: Match) => void,
  options: { heldByBits?: boolean; numbers?: boolean; scouted?: boolean } = {},
): Layer | undefined {
  const { automaton, numbers, maxSpan } = set;
  if (automaton === undefined) return undefined;
  const search: Search = {
    automaton,
    firstBytes: automaton.firstBytes,
    numbers: options.numbers === false ? noNumbers : numbers,
    maxSpan,
    heldByBits: options.heldByBits !== false,
    get scouts() {
      return options.scouted === false ? undefined : set.scout;
    },
    found,
    layer: (depth, origin) => new Layer(search, depth, origin),
  };
  return new Layer(search, 0, input);
}

const noNumbers: ReadonlyMap<string, number> = new Map();
