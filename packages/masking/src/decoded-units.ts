import type { Form } from "./form.ts";
import type { Decoded, Origin, Search } from "./search.ts";

/** Units kept before what is under way: a match of base64 inside may begin with a letter that stays. */
const MARGIN = 8;
/** Bytes that the layer reads at once. */
const MOST_AT_ONCE = 256;
const NOTHING = new Uint8Array(0);

/** Bytes that a layer's text writes one by one, each over a stretch of its own (`5a`, `90`), and the layer that reads them. */
export class DecodedUnits {
  readonly #makeLayer: () => Decoded;
  /** Made when there is something to read: most streams have nothing of the kind. */
  #layer: Decoded | undefined;
  #bytes: Uint8Array = NOTHING;
  #pending = 0;
  #count = 0;
  /** Indices of the first and last byte of each unit from unit `#from` on. */
  #starts: number[] = [];
  #ends: number[] = [];
  #values: number[] = [];
  #from = 0;
  /** Where 1, a byte's first digit is held back, since it may begin a value. */
  readonly #firstBytes: Uint8Array;

  /** `depth` is the layer's; `form` is told how many bytes stand between the first two units of a match. */
  constructor(search: Search, depth: number, origin: Origin, form: (inner: Form, gap: number, shown: number) => Form) {
    this.#firstBytes = search.firstBytes;
    const inside: Origin = {
      start: (index) => origin.start(this.#starts[index - this.#from]!),
      span: (first, last) =>
        origin.span(this.#starts[first - this.#from]! + (this.#shown(first) < 0 ? 0 : 1), this.#ends[last - this.#from]!),
      form: (inner, first, last) => {
        const begin = first - this.#from;
        const gap = Math.max(0, (this.#starts[begin + 1] ?? 0) - this.#ends[begin]! - 1);
        return origin.form(form(inner, gap, this.#shown(first)), this.#starts[begin]!, this.#ends[last - this.#from]!);
      },
    };
    this.#makeLayer = () => search.layer(depth, inside);
  }

  /**
   * The first digit of a match that stays, since it may have gone out before it was known to begin one: of what is itself encoded. −1 where it
   * was held back.
   */
  #shown(index: number): number {
    const byte = this.#values[index - this.#from]!;
    return this.#firstBytes[byte] === 1 ? -1 : byte >> 4;
  }

  add(byte: number, start: number, end: number): void {
    if (this.#pending === this.#bytes.length) {
      this.#flush();
      if (this.#bytes.length < MOST_AT_ONCE) this.#bytes = new Uint8Array(Math.max(32, this.#bytes.length * 2));
    }
    this.#bytes[this.#pending++] = byte;
    this.#starts.push(start);
    this.#ends.push(end);
    this.#values.push(byte);
  }

  /** Index of the first byte of an occurrence that may still come; Infinity when there is none. Right after `pause` only. */
  partial(): number {
    const partial = this.#layer?.partial() ?? Number.POSITIVE_INFINITY;
    return partial === Number.POSITIVE_INFINITY ? partial : this.#starts[partial - this.#from]!;
  }

  /** The bytes at hand end here: reads what is pending and forgets what no occurrence under way can hold. */
  pause(): void {
    this.#flush();
    if (this.#layer === undefined) return;
    const partial = this.#layer.partial();
    const unneeded = (partial === Number.POSITIVE_INFINITY ? this.#count : partial) - MARGIN - this.#from;
    if (unneeded <= this.#starts.length / 2) return;
    this.#starts.splice(0, unneeded);
    this.#ends.splice(0, unneeded);
    this.#values.splice(0, unneeded);
    this.#from += unneeded;
  }

  finish(): void {
    if (this.#count === 0 && this.#pending === 0) return;
    this.#flush();
    this.#layer?.finish();
    this.#count = 0;
    this.#from = 0;
    this.#starts = [];
    this.#ends = [];
    this.#values = [];
  }

  #flush(): void {
    const pending = this.#pending;
    if (pending === 0) return;
    this.#pending = 0;
    this.#count += pending;
    this.#layer ??= this.#makeLayer();
    this.#layer.read(this.#bytes, 0, pending);
  }
}
