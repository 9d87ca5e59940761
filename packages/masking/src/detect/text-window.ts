/** The end of a text that comes in pieces: what was not decided yet, and some of what stood before it. */
export class TextWindow {
  #bytes: Buffer = Buffer.allocUnsafe(1024);
  #length = 0;
  #base = 0;

  /** Only the first `length` bytes count. Good until the window is added to. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Position of the window's first byte in the text. */
  get base(): number {
    return this.#base;
  }

  /** Position after the window's last byte. */
  get end(): number {
    return this.#base + this.#length;
  }

  append(piece: Uint8Array): void {
    this.reserve(piece.length);
    this.#bytes.set(piece, this.#length);
    this.#length += piece.length;
  }

  /** Makes room for so many bytes, for whoever writes them at `length` and then calls `grow`. */
  reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  grow(count: number): void {
    this.#length += count;
  }

  /** Forgets what stands before `position`. Bytes are moved only where that frees half of them, so each is moved a bounded number of times. */
  forget(position: number): void {
    const count = position - this.#base;
    if (count <= 0 || count < this.#length / 2) return;
    this.#bytes.copyWithin(0, count, this.#length);
    this.#length -= count;
    this.#base = position;
  }
}
