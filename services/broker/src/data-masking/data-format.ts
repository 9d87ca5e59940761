import type { DataFormat } from "@sallyport/masking/detect";

const json = /^(?:application|text)\/(?:json|x-ndjson|ndjson|jsonl|json-seq|[a-z0-9!#$&^_.+-]+\+json)$/;
const wide = /charset\s*=\s*"?\s*utf-?(?:16|32)/i;

/** How a body of this content type is read; undefined where its first bytes must tell. */
export function declaredFormat(contentType: string | undefined): DataFormat | undefined {
  const type = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "text/event-stream") return "events";
  return json.test(type) ? "json" : undefined;
}

/** What a body looks like by its first bytes: `more` while they are white space. */
export function apparentFormat(bytes: Uint8Array): "json" | "text" | "more" {
  const first = bytes.find((byte) => byte !== 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte < 0x80);
  if (first === undefined) return bytes.length > 1024 ? "text" : "more";
  return first === 123 || first === 91 ? "json" : "text";
}

/** Characters of more than one byte each, which detectors do not read. */
export const isWide = (contentType: string | undefined): boolean => contentType !== undefined && wide.test(contentType);
