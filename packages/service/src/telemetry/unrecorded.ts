import { randomFillSync } from "node:crypto";
import { type Context, context, isSpanContextValid, type Span, type SpanOptions, TraceFlags, type Tracer, trace } from "@opentelemetry/api";

/**
 * Spans that nobody records: all that they have is their ids (W3C Trace Context §3.2.2), which go on from the caller's and which
 * logs, evidence and whoever is called next carry. The SDK's own would clean and keep attributes for nothing.
 */
export class UnrecordedTracer implements Tracer {
  startSpan(_name: string, options: SpanOptions = {}, parent: Context = context.active()): Span {
    const above = options.root === true ? undefined : trace.getSpanContext(parent);
    const known = above !== undefined && isSpanContextValid(above) ? above : undefined;
    return trace.wrapSpanContext({
      traceId: known?.traceId ?? randomHex(16),
      spanId: randomHex(8),
      traceFlags: TraceFlags.NONE,
      ...(known?.traceState === undefined ? {} : { traceState: known.traceState }),
    });
  }

  startActiveSpan<R>(name: string, ...rest: [...(SpanOptions | Context)[], (span: Span) => R]): R {
    const act = rest.at(-1) as (span: Span) => R;
    const [options, parent = context.active()] = rest.slice(0, -1) as [SpanOptions?, Context?];
    const span = this.startSpan(name, options, parent);
    return context.with(trace.setSpan(parent, span), () => act(span));
  }
}

const pool = Buffer.alloc(4096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString("hex", used - bytes, used);
}
