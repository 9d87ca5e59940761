import { context, trace } from "@opentelemetry/api";
import { type DestinationStream, type Logger, pino } from "pino";
import { loggedError } from "./logged-error.ts";

/** Paths that must never be written, wherever somebody logs headers. */
const hidden = ["authorization", "dpop", "cookie", "proxy-authorization", "set-cookie", "dpop-nonce"].flatMap((name) =>
  ["", "*.", "*.*."].map((prefix) => (prefix === "" ? `["${name}"]` : `${prefix.slice(0, -1)}["${name}"]`)),
);

/** JSON lines on standard error, each with the trace it belongs to. Results go to standard output, never here. */
export function createLogger(options: { level?: string; destination?: DestinationStream } = {}): Logger {
  return pino(
    {
      level: options.level ?? process.env.SALLYPORT_LOG_LEVEL ?? "info",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error) => loggedError(error), cause: (error) => loggedError(error) },
      redact: { paths: hidden, censor: "[hidden]" },
      mixin: traceIds,
    },
    options.destination ?? pino.destination({ fd: 2, sync: true }),
  );
}

function traceIds(): Record<string, string> {
  const span = trace.getSpanContext(context.active());
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}
