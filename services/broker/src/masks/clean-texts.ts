import type { MaskSet } from "@sallyport/masking";

/** Texts that are remembered of one set, and the longest of them, in characters. */
const maxTexts = 512;
const maxLength = 256;

/**
 * Remembers which short texts a mask set leaves as they are: headers and statements are the same in use after use. What a value
 * was found in is never kept, and what is kept goes with its set, so that nothing is carried over to a tree with other values.
 */
export class CleanTexts {
  readonly #mask: (set: MaskSet, text: string) => string;
  readonly #known = new WeakMap<MaskSet, Set<string>>();

  /** @param mask what is asked about a text that is not known; pure */
  constructor(mask: (set: MaskSet, text: string) => string) {
    this.#mask = mask;
  }

  /** The text, masked. @throws as `mask` does, also where the set was erased */
  mask(set: MaskSet, text: string): string {
    set.assertWhole();
    let known = this.#known.get(set);
    if (known?.has(text)) return text;
    const masked = this.#mask(set, text);
    if (masked !== text || text.length > maxLength) return masked;
    if (known === undefined) {
      known = new Set();
      this.#known.set(set, known);
    }
    if (known.size >= maxTexts) known.delete(known.values().next().value as string);
    known.add(text);
    return masked;
  }
}
