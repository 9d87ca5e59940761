/** Bound for asking all nodes which one is active. */
const findMs = 1_000;
/** After how many milliseconds that is asked again, beside the calls. */
const againMs = 5_000;

/**
 * Which of several nodes is the active one. A standby of OpenBao answers reads by itself and may be behind, so that it does not
 * have what was just written: standbys are asked only while no node is active.
 */
export class ActiveNode {
  readonly #nodes: number;
  readonly #isActive: (node: number, signal: AbortSignal) => Promise<boolean>;
  #found: { readonly node: number; readonly at: number } | undefined;
  #finding: Promise<number | undefined> | undefined;

  constructor(nodes: number, isActive: (node: number, signal: AbortSignal) => Promise<boolean>) {
    this.#nodes = nodes;
    this.#isActive = isActive;
  }

  /** The active node, or the first where none says that it is. */
  async find(): Promise<number> {
    if (this.#nodes === 1) return 0;
    if (this.#found === undefined) return (await this.#ask()) ?? 0;
    if (performance.now() - this.#found.at > againMs) void this.#ask();
    return this.#found.node;
  }

  /** The node did not serve: the next call asks anew. */
  lost(): void {
    this.#found = undefined;
  }

  #ask(): Promise<number | undefined> {
    this.#finding ??= this.#first().finally(() => {
      this.#finding = undefined;
    });
    return this.#finding;
  }

  async #first(): Promise<number | undefined> {
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, AbortSignal.timeout(findMs)]);
    const asked = Array.from({ length: this.#nodes }, async (_, node) => {
      if (!(await this.#isActive(node, signal))) throw new Error("stands by");
      return node;
    });
    try {
      const node = await Promise.any(asked);
      this.#found = { node, at: performance.now() };
      return node;
    } catch {
      return undefined;
    } finally {
      done.abort();
    }
  }
}
