import type { Meter } from "@opentelemetry/api";
import type { Decision } from "@sallyport/policy";

/** Counts decisions by verdict, with their time, and says whether the folder's policies are the ones that decide. */
export function decisionMetrics(meter: Meter, stale: () => boolean): (decision: Decision, milliseconds: number) => void {
  const duration = meter.createHistogram("sallyport.policy.decision.duration", {
    unit: "s",
    description: "Time that a chain's decision took, by verdict",
    advice: { explicitBucketBoundaries: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1] },
  });
  meter
    .createObservableGauge("sallyport.policy.refused", {
      description: "1 while the folder's policies are refused and an older set, or none, decides",
    })
    .addCallback((result) => result.observe(stale() ? 1 : 0));
  return (decision, milliseconds) => duration.record(milliseconds / 1000, { verdict: decision.verdict });
}
