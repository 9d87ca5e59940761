/** An event that waits for what may still be taken out of it. */
export class HeldEvent {
  readonly number: number;
  readonly #bytes: Uint8Array;
  readonly #edits: { readonly from: number; readonly to: number; readonly text: string }[] = [];

  constructor(number: number, bytes: Uint8Array) {
    this.number = number;
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Placeholders that were put into it. */
  get count(): number {
    return this.#edits.filter(({ text }) => text !== "").length;
  }

  /** Puts `text` in the place of bytes `from` to `to - 1`, or of what others left of them. */
  replace(from: number, to: number, text: string): void {
    this.#edits.push({ from, to, text });
  }

  /** The event as it goes out. */
  bytes(): Uint8Array {
    if (this.#edits.length === 0) return this.#bytes;
    const parts: Uint8Array[] = [];
    let at = 0;
    for (const { from, to, text } of this.#edits.toSorted((one, other) => one.from - other.from)) {
      if (from > at) parts.push(this.#bytes.subarray(at, from));
      parts.push(Buffer.from(text, "latin1"));
      at = Math.max(at, to);
    }
    return Buffer.concat([...parts, this.#bytes.subarray(at)]);
  }
}
