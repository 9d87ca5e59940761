import type { Counter, Histogram, Meter } from "@opentelemetry/api";

/** `served`; `cached`: the store was not asked; `refused`: a clear answer, such as no such secret; `outage`; `resting`: left alone. */
export type StoreOutcome = "served" | "cached" | "refused" | "outage" | "resting";

/** Figures of each store, by its name in the configuration; none of them names a secret. */
export class StoreMetrics {
  readonly #calls: Counter;
  readonly #duration: Histogram;

  /** @param serving 1 or 0 by store: whether calls go through */
  constructor(meter: Meter, serving: () => Iterable<readonly [string, 0 | 1]>) {
    this.#calls = meter.createCounter("sallyport.store.calls", { description: "Calls of stores by operation and outcome" });
    this.#duration = meter.createHistogram("sallyport.store.duration", { unit: "s", description: "How long stores took to answer" });
    meter
      .createObservableGauge("sallyport.store.serving", { description: "1 while calls go to the store, 0 while its circuit is open" })
      .addCallback((result) => {
        for (const [store, value] of serving()) result.observe(value, { "sallyport.store": store });
      });
  }

  count(store: string, operation: string, outcome: StoreOutcome): void {
    this.#calls.add(1, { "sallyport.store": store, operation, outcome });
  }

  took(store: string, operation: string, outcome: StoreOutcome, ms: number): void {
    this.count(store, operation, outcome);
    this.#duration.record(ms / 1000, { "sallyport.store": store, operation });
  }
}
