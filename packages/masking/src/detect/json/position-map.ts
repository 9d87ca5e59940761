/** Where each byte of a view stands in the body. Between two entries they go together. */
export class PositionMap {
  #views: number[] = [0];
  #raws: number[] = [0];

  /** From `view` on, the view goes on with what stands at `raw`. */
  add(view: number, raw: number): void {
    this.#views.push(view);
    this.#raws.push(raw);
  }

  raw(view: number): number {
    const views = this.#views;
    let low = 0;
    let high = views.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (views[middle]! <= view) low = middle;
      else high = middle - 1;
    }
    return this.#raws[low]! + view - views[low]!;
  }

  /** What stands before `view` is not asked for any more. */
  forget(view: number): void {
    const views = this.#views;
    if (views.length < 64 || views[views.length >> 1]! > view) return;
    let kept = views.length >> 1;
    while (kept + 1 < views.length && views[kept + 1]! <= view) kept++;
    this.#views = views.slice(kept);
    this.#raws = this.#raws.slice(kept);
  }
}
