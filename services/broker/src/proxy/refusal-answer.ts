import { Refusal, reasons } from "@sallyport/contracts";
import type { Host } from "@sallyport/service";

/** What a tool is told of an error: a refusal as it is, of anything else only that the log has it. */
export function refusalOf(error: unknown, log: Pick<Host["log"], "error">): Refusal {
  if (error instanceof Refusal) return error;
  log.error({ err: error }, "a proxied request failed");
  return new Refusal("INTERNAL", "Sallyport failed here; its log says why.", { cause: error });
}

/** A refusal as an HTTP answer: the same reason, sentence and metadata as everywhere, as JSON. */
export function refusalAnswer(refusal: Refusal): { status: number; headers: [string, string][]; body: Buffer } {
  const { reason, message, metadata, retryAfterMs } = refusal;
  const body = Buffer.from(`${JSON.stringify({ error: { domain: "sallyport", reason, message, metadata } })}\n`);
  return {
    status: reasons[reason].http,
    headers: [
      ["content-type", "application/json"],
      ["content-length", String(body.length)],
      ["cache-control", "no-store"],
      // For whoever sees the headers only, such as a tool's own error message.
      ["sallyport-reason", reason],
      ...(retryAfterMs === undefined ? [] : [["retry-after", String(Math.max(1, Math.ceil(retryAfterMs / 1000)))] as [string, string]]),
    ],
    body,
  };
}
