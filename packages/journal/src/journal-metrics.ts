import type { Meter } from "@opentelemetry/api";
import type { Journal } from "./journal.ts";
import type { Shipping } from "./ship.ts";

/** Gauges of a journal and of its way into the evidence log, by the service that writes it. */
export class JournalMetrics {
  readonly #shipping: Shipping | undefined;
  /** When the oldest entry was written that may not be in the log yet. */
  #behindSince = 0;

  /** @param now monotonic milliseconds */
  constructor(meter: Meter, service: string, journal: Journal, shipping: Shipping | undefined, now: () => number) {
    this.#shipping = shipping;
    const gauge = (name: string, unit: string, description: string, value: () => number) =>
      meter
        .createObservableGauge(name, { unit, description })
        .addCallback((result) => result.observe(value(), { "sallyport.service": service }));
    gauge("sallyport.journal.size", "By", "Bytes that the journal holds", () => journal.bytes);
    gauge("sallyport.journal.limit", "By", "Bytes at which everything but outcomes is refused", () => journal.openBytes);
    gauge(
      "sallyport.journal.open_intents",
      "{intent}",
      "Effects that were announced and have no outcome yet",
      () => journal.openIntents().length,
    );
    if (shipping === undefined) return;
    const behind = () => Number(journal.last - shipping.loggedSequence);
    gauge("sallyport.journal.unshipped", "{record}", "Records that are not in the evidence log yet", behind);
    gauge("sallyport.journal.lag", "s", "Age of the oldest record that is not in the evidence log yet, at most", () =>
      behind() <= 0 ? 0 : (now() - this.#behindSince) / 1000,
    );
  }

  /** To be told of each entry. @param at when it was written, monotonic milliseconds */
  appended(sequence: bigint, at: number): void {
    // Where all before it is logged it is the oldest that is not.
    if (this.#shipping !== undefined && this.#shipping.loggedSequence + 1n >= sequence) this.#behindSince = at;
  }
}
