/** What ended within one second of the soak. */
export interface Second {
  /** From the beginning. */
  readonly at: number;
  readonly done: number;
  /** Refusals, by their reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Milliseconds that the uses took that succeeded; null where none did. */
  readonly p50: number | null;
  readonly p99: number | null;
}

interface Bucket {
  done: number;
  readonly refused: Map<string, number>;
  readonly took: number[];
}

/** Outcomes and latencies as they come in, second by second. */
export class Timeline {
  readonly #began: number;
  readonly #seconds: Bucket[] = [];

  constructor(began = performance.now()) {
    this.#began = began;
  }

  /** Seconds since it began. */
  now(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** @param tookMs left out where the use lasts as long as its reader likes */
  done(tookMs?: number): void {
    const second = this.#current();
    second.done++;
    if (tookMs !== undefined) second.took.push(tookMs);
  }

  refused(reason: string): void {
    const { refused } = this.#current();
    refused.set(reason, (refused.get(reason) ?? 0) + 1);
  }

  seconds(): Second[] {
    return Array.from(this.#seconds, ({ done, refused, took }, at) => ({
      at,
      done,
      refused: Object.fromEntries(refused),
      p50: percentile(took, 0.5),
      p99: percentile(took, 0.99),
    }));
  }

  /** Over the whole time. */
  total(): Omit<Second, "at"> {
    const refused: Record<string, number> = {};
    for (const second of this.#seconds) for (const [reason, count] of second.refused) refused[reason] = (refused[reason] ?? 0) + count;
    const took = this.#seconds.flatMap((second) => second.took);
    return {
      done: this.#seconds.reduce((sum, { done }) => sum + done, 0),
      refused,
      p50: percentile(took, 0.5),
      p99: percentile(took, 0.99),
    };
  }

  #current(): Bucket {
    const at = Math.max(0, Math.floor(this.now()));
    while (this.#seconds.length <= at) this.#seconds.push({ done: 0, refused: new Map(), took: [] });
    return this.#seconds[at] as Bucket;
  }
}

function percentile(values: readonly number[], part: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return value === undefined ? null : Number(value.toPrecision(3));
}
