import { Refusal } from "@sallyport/contracts";

export type Fields = ReadonlyMap<string, Uint8Array>;

/** A field's bytes. @throws Refusal STORE_UNAVAILABLE where the secret has no such field */
export function fieldOf(fields: Fields, field: string): Buffer {
  const value = fields.get(field);
  if (value === undefined) throw unusable(field, "is missing from the secret");
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/**
 * A field's bytes as the Latin-1 text that a header carries (RFC 9110 §5.5).
 * @param form what is allowed there. @throws Refusal STORE_UNAVAILABLE where the value is none of it
 */
export function fieldText(fields: Fields, field: string, form: RegExp, place: string): string {
  const text = fieldOf(fields, field).toString("latin1");
  if (form.test(text)) return text;
  throw unusable(field, `is empty, or holds a line break, a space at an end or another character that ${place} cannot carry`);
}

/** A field's bytes as UTF-8 text. @throws Refusal STORE_UNAVAILABLE where they are none, or empty */
export function fieldUtf8(fields: Fields, field: string, place: string): string {
  const bytes = fieldOf(fields, field);
  const text = bytes.toString("utf8");
  if (text !== "" && Buffer.from(text, "utf8").equals(bytes)) return text;
  throw unusable(field, `is empty or not UTF-8, which ${place} needs`);
}

export const unusable = (field: string, why: string) =>
  new Refusal(
    "STORE_UNAVAILABLE",
    `The field "${field}", which this target needs, ${why}; the operator can write a new version. Nothing was sent.`,
    { metadata: { effect: "none" } },
  );
