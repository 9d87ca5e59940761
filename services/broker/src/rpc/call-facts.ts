import { propagation } from "@opentelemetry/api";
import type { Call } from "@sallyport/service";

/** The call's W3C trace context, for records and for whoever is called next. */
export function traceparentOf(call: Call): string {
  const carrier: Record<string, string> = {};
  propagation.inject(call.trace, carrier);
  return carrier.traceparent ?? "";
}

/** Where the call came from, for records. */
export const addressOf = (call: Call): string | undefined => (call.peer.kind === "service" ? undefined : call.peer.address);
