import type { OutgoingRecord } from "./sink.ts";

interface Event {
  metadata?: { uid?: string; log_name?: string };
  unmapped?: { delegation?: { session_uid?: string }[]; sallyport?: { traceparent?: string } };
}

/** What travels beside a record's bytes, read from them. */
export function outgoing(bytes: Buffer, index: number): OutgoingRecord {
  const { metadata, unmapped } = JSON.parse(bytes.toString("utf8")) as Event;
  return {
    index,
    bytes,
    uid: metadata?.uid ?? "",
    key: unmapped?.delegation?.at(-1)?.session_uid ?? metadata?.log_name ?? "",
    traceparent: unmapped?.sallyport?.traceparent ?? "",
  };
}
