import type { Form } from "./form.ts";
import type { Decoded, Origin, Search } from "./search.ts";

/** Bytes that a layer's text writes one by one, each over a stretch of its own (`5a`, `90`), and the layer that reads them. */
export class DecodedUnits {
  readonly #layer: Decoded;
  readonly #bytes = new Uint8Array(256);
  #pending = 0;
  #count = 0;
  /** Indices of the first and last byte of each unit from unit `#from` on. */
  #starts: number[] = [];
  #ends: number[] = [];
  #from = 0;

  /** `form` is told how many bytes stand between the first two units of a match. */
  constructor(search: Search, origin: Origin, form: (inner: Form, gap: number) => Form) {
    this.#layer = search.layer(2, {
      start: (index) => origin.start(this.#starts[index - this.#from]!),
      span: (first, last) => origin.span(this.#starts[first - this.#from]!, this.#ends[last - this.#from]!),
      form: (inner, first, last) => {
        const begin = first - this.#from;
        const gap = Math.max(0, (this.#starts[begin + 1] ?? 0) - this.#ends[begin]! - 1);
        return origin.form(form(inner, gap), this.#starts[begin]!, this.#ends[last - this.#from]!);
      },
    });
  }

  add(byte: number, start: number, end: number): void {
    if (this.#pending === this.#bytes.length) this.#flush();
    this.#bytes[this.#pending++] = byte;
    this.#starts.push(start);
    this.#ends.push(end);
  }

  /** Index of the first byte of an occurrence that may still come; Infinity when there is none. Right after `pause` only. */
  partial(): number {
    const partial = this.#layer.partial();
    return partial === Number.POSITIVE_INFINITY ? partial : this.#starts[partial - this.#from]!;
  }

  /** The bytes at hand end here: reads what is pending and forgets what no occurrence under way can hold. */
  pause(): void {
    this.#flush();
    const partial = this.#layer.partial();
    const unneeded = (partial === Number.POSITIVE_INFINITY ? this.#count : partial) - this.#from;
    if (unneeded <= this.#starts.length / 2) return;
    this.#starts.splice(0, unneeded);
    this.#ends.splice(0, unneeded);
    this.#from += unneeded;
  }

  finish(): void {
    if (this.#count === 0 && this.#pending === 0) return;
    this.#flush();
    this.#layer.finish();
    this.#count = 0;
    this.#from = 0;
    this.#starts = [];
    this.#ends = [];
  }

  #flush(): void {
    const pending = this.#pending;
    if (pending === 0) return;
    this.#pending = 0;
    this.#count += pending;
    this.#layer.read(this.#bytes, 0, pending);
  }
}
