/** Stretches of a view, in order. */
export class Spans {
  #starts: number[] = [];
  #ends: number[] = [];

  add(start: number, end: number): void {
    this.#starts.push(start);
    this.#ends.push(end);
  }

  /** The stretch that `position` is in. */
  around(position: number): { start: number; end: number } | undefined {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= position) low = middle + 1;
      else high = middle;
    }
    const start = starts[low - 1];
    const end = this.#ends[low - 1];
    return start === undefined || end === undefined || end <= position ? undefined : { start, end };
  }

  /** Those that end before `position` are not asked for any more. */
  forget(position: number): void {
    const ends = this.#ends;
    if (ends.length < 64 || ends[ends.length >> 1]! > position) return;
    let gone = ends.length >> 1;
    while (gone < ends.length && ends[gone]! <= position) gone++;
    this.#starts = this.#starts.slice(gone);
    this.#ends = ends.slice(gone);
  }
}
