/**
 * A layer is a stream of bytes in which values are looked for: the input itself, or what some of it decodes to. In each layer
 * the automaton runs over the bytes as they are and as what they spell (`threads.ts`), and readers beside it decode what is base64, hex or a
 * list of numbers into layers of its own. So no byte is read twice, and nothing depends on chunks.
 */
import { Base64Reader } from "./base64-reader.ts";
import { DecimalReader } from "./decimal-reader.ts";
import { HexReader } from "./hex-reader.ts";
import { NumberReader } from "./number-reader.ts";
import type { Decoded, Origin, Search } from "./search.ts";
import { Threads } from "./threads.ts";

export class Layer implements Decoded {
  readonly #base64: Base64Reader | undefined;
  readonly #hex: HexReader | undefined;
  readonly #decimal: DecimalReader | undefined;
  readonly #numbers: NumberReader | undefined;
  readonly #threads: Threads;
  #index = 0;

  /** `depth` counts the base64 and hex encodings around this layer, 0 to 2. */
  constructor(search: Search, depth: number, origin: Origin) {
    this.#threads = new Threads(search, depth, origin);
    if (depth < 2) {
      this.#base64 = new Base64Reader(search, depth, origin);
      this.#hex = new HexReader(search, depth, origin);
    }
    if (depth === 0) {
      this.#decimal = new DecimalReader(search, origin);
      if (search.numbers.size > 0) this.#numbers = new NumberReader(search, search.numbers);
    }
  }

  /** Reads `bytes[from]` to `bytes[to - 1]`. */
  read(bytes: Uint8Array, from: number, to: number): void {
    const base = this.#index - from;
    this.#base64?.read(bytes, from, to, base);
    this.#hex?.read(bytes, from, to, base);
    this.#decimal?.read(bytes, from, to, base);
    this.#numbers?.read(bytes, from, to, base);
    this.#threads.read(bytes, from, to, base);
    this.#index += to - from;
  }

  /** Layer index of the first byte that may belong to an occurrence not yet complete; Infinity when there is none. */
  partial(): number {
    const first = this.#threads.partial();
    return Math.min(
      first,
      this.#base64?.partial() ?? first,
      this.#hex?.partial() ?? first,
      this.#decimal?.partial() ?? first,
      this.#numbers?.partial() ?? first,
    );
  }

  /** The layer's bytes end here: completes what needs no more bytes, and starts afresh. */
  finish(): void {
    this.#base64?.finish();
    this.#hex?.finish();
    this.#decimal?.finish();
    this.#numbers?.finish();
    this.#threads.finish(this.#index - 1);
    this.#index = 0;
  }

  /**
   * Starts afresh in the middle: the next byte read is the one at `index`. What stands before it is not known, so a number that
   * begins with it is none.
   */
  startAt(index: number): void {
    this.finish();
    this.#index = index;
    if (index > 0) this.#decimal?.startInside();
  }
}
