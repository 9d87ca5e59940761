import type { Meter } from "@opentelemetry/api";
import type { ReviewEvent } from "./reviews/reviews.ts";

/** What the broker counts beside its calls. Labels name no secret, agent or target. */
export function brokerMetrics(meter: Meter) {
  const masked = meter.createCounter("sallyport.masking.values", { description: "Values that were masked in answers" });
  const found = meter.createCounter("sallyport.masking.data", { description: "What data-masking rules found in answers, by category" });
  const reviews = meter.createCounter("sallyport.reviews", {
    description: "Reviews by what became of them: opened, granted, rejected, spent, expired",
  });
  return {
    masked: (values: number) => {
      if (values > 0) masked.add(values);
    },
    found: (data: ReadonlyMap<string, number>) => {
      for (const [category, count] of data) found.add(count, { category });
    },
    review: (event: ReviewEvent) => reviews.add(1, { event }),
    /** @param waiting how many reviews of the whole installation wait for people */
    observeWaiting: (waiting: () => number) => {
      meter
        .createObservableGauge("sallyport.reviews.waiting", { description: "Reviews of the whole installation that wait for people" })
        .addCallback((result) => result.observe(waiting()));
    },
  };
}
