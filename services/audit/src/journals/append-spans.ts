import { propagation, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import type { JournalEntry } from "@sallyport/contracts";

/**
 * While entries are being logged, a span of each in the trace of the call that it tells of: below that call, though it may
 * have ended long before.
 *
 * @returns what `logging` comes to
 */
export async function appendSpans<T>(
  tracer: Tracer | undefined,
  journalId: string,
  entries: readonly JournalEntry[],
  logging: Promise<T>,
): Promise<T> {
  const spans = tracer === undefined ? [] : entries.filter(isTraced).map((entry) => appendSpan(tracer, journalId, entry));
  try {
    return await logging;
  } catch (error) {
    for (const span of spans) span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}

function appendSpan(tracer: Tracer, journalId: string, { traceparent, sequence }: JournalEntry): Span {
  const attributes = { "sallyport.journal": journalId, "sallyport.sequence": Number(sequence) };
  return tracer.startSpan("evidence append", { kind: SpanKind.CONSUMER, attributes }, propagation.extract(ROOT_CONTEXT, { traceparent }));
}

/** Sampled, by W3C Trace Context's flags; of the others there is no trace to be seen in. */
const isTraced = ({ traceparent }: JournalEntry): boolean => /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f][13579bdf]$/.test(traceparent);
