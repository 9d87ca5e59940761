import { hash, randomBytes } from "node:crypto";
import type { MaskSet } from "@sallyport/masking";

/** Texts that are remembered of one set, and the longest of them, in characters. */
const maxTexts = 512;
const maxLength = 256;

/**
 * Remembers which short texts a mask set leaves as they are: headers and statements are the same in use after use. What a value
 * was found in is never kept, and what is kept goes with its set, so that nothing is carried over to a tree with other values.
 * Of each text only a salted hash is kept: it may hold what becomes a secret later, or what a target made up for one answer.
 */
export class CleanTexts {
  readonly #salt = randomBytes(16).toString("hex");
  readonly #mask: (set: MaskSet, text: string) => string;
  readonly #known = new WeakMap<MaskSet, Set<string>>();

  /** @param mask what is asked about a text that is not known; pure */
  constructor(mask: (set: MaskSet, text: string) => string) {
    this.#mask = mask;
  }

  /** The text, masked. @throws as `mask` does, also where the set was erased */
  mask(set: MaskSet, text: string): string {
    set.assertWhole();
    if (text.length > maxLength) return this.#mask(set, text);
    let known = this.#known.get(set);
    const id = hash("sha256", `${this.#salt}${text}`, "base64");
    if (known?.has(id)) return text;
    const masked = this.#mask(set, text);
    if (masked !== text) return masked;
    if (known === undefined) {
      known = new Set();
      this.#known.set(set, known);
    }
    if (known.size >= maxTexts) known.delete(known.values().next().value as string);
    known.add(id);
    return masked;
  }
}
