import { trace } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import type { Logger } from "pino";

/** What a caller is told of an error: a refusal as it is, anything else only that the log has it. */
export function refusalOf(error: unknown, log: Logger, method: string): Refusal {
  if (error instanceof Refusal) {
    if (error.cause !== undefined) log.warn({ method, reason: error.reason, cause: error.cause }, "refused");
    return error;
  }
  log.error({ method, err: error }, "a handler failed");
  const traceId = trace.getActiveSpan()?.spanContext().traceId;
  return new Refusal("INTERNAL", `Sallyport failed here; its log says why${traceId === undefined ? "" : ` (trace ${traceId})`}.`, {
    cause: error,
  });
}

export const cancelled = (): Refusal => new Refusal("CANCELLED", "The caller cancelled the call.");

export const deadlinePassed = (): Refusal => new Refusal("CANCELLED", "The call's deadline passed before it was done; allow it more time.");

export const draining = (): Refusal =>
  new Refusal("CANCELLED", "This replica is stopping; call again and another will answer.", { retryAfterMs: 200 });

/** A signal's reason as a refusal. */
export const reasonOf = (signal: AbortSignal): Refusal => (signal.reason instanceof Refusal ? signal.reason : cancelled());

/** The reason of a signal whose call is over; nobody is told. */
export const ended = cancelled();
