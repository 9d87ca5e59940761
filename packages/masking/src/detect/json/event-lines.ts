/** A piece of an event stream: a line's data, what stands around it, or the empty line that ends an event. */
interface Piece {
  readonly kind: "data" | "other" | "event-end";
  readonly length: number;
}

/** Takes server-sent events (HTML §9.2.6) apart, as they come. */
export class EventLines {
  /** Of the line's field name and the blank after its colon; undefined within its value. */
  #name: string | undefined = "";
  #isData = false;
  #afterReturn = false;

  /** The next piece of what is there. @param bytes at least one */
  next(bytes: Buffer): Piece {
    const first = bytes[0]!;
    if (first === 10 || first === 13) return this.#lineEnd(first);
    this.#afterReturn = false;
    if (this.#name === undefined) {
      const stop = bytes.findIndex((byte) => byte === 10 || byte === 13);
      return { kind: this.#isData ? "data" : "other", length: stop < 0 ? bytes.length : stop };
    }
    // One byte at a time: names are short.
    if (this.#name.endsWith(":")) {
      this.#isData = this.#name === "data:" || this.#name === "\u00ef\u00bb\u00bfdata:";
      this.#name = undefined;
      return first === 32 ? { kind: "other", length: 1 } : this.next(bytes);
    }
    if (this.#name.length < 16) this.#name += String.fromCharCode(first);
    else if (first === 58) this.#name += ":";
    return { kind: "other", length: 1 };
  }

  #lineEnd(byte: number): Piece {
    const pair = byte === 10 && this.#afterReturn;
    this.#afterReturn = byte === 13;
    const empty = this.#name === "" && !pair;
    this.#name = "";
    return { kind: empty ? "event-end" : "other", length: 1 };
  }
}
