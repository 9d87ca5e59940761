import { linksIn, objectIn, partsOf, textIn } from "../search/record-facts.ts";
import type { OutgoingRecord } from "./sink.ts";

/** What travels beside a record's bytes, read from them; whatever a service signed is published, if only under its journal's name. */
export function outgoing(bytes: Buffer, index: number): OutgoingRecord {
  const { metadata, unmapped } = partsOf(bytes);
  return {
    index,
    bytes,
    uid: textIn(metadata.uid) ?? "",
    key: linksIn(unmapped.delegation).at(-1)?.sid ?? textIn(metadata.log_name) ?? "",
    traceparent: textIn(objectIn(unmapped.sallyport).traceparent) ?? "",
  };
}
