/**
 * How one text holds a secret's fields, in stores that keep one text for each: a JSON object of texts is its fields; anything
 * else is one field, `value`. So what other tools wrote there can be used as it is.
 */
export const plainField = "value";

/** @param bytes zeroed by the caller; the fields are copies */
export function fieldsOfText(bytes: Buffer): Map<string, Buffer> {
  const object = bytes[0] === 0x7b ? parsed(bytes) : undefined;
  if (object === undefined) return new Map([[plainField, Buffer.from(bytes)]]);
  return new Map(
    Object.entries(object).flatMap(([field, value]) => (typeof value === "string" ? [[field, Buffer.from(value, "utf8")] as const] : [])),
  );
}

function parsed(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The text for these fields: what was written as one plain value stays one, as long as it has no other field.
 * @param textOf decodes a field, or refuses it
 */
export function textOfFields(fields: ReadonlyMap<string, Uint8Array>, textOf: (field: string, value: Uint8Array) => string): string {
  const only = fields.size === 1 ? fields.get(plainField) : undefined;
  const plain = only === undefined ? undefined : textOf(plainField, only);
  // A text that would be read as an object of fields must not stand alone.
  if (plain !== undefined && !plain.startsWith("{")) return plain;
  return JSON.stringify(Object.fromEntries([...fields].map(([field, value]) => [field, textOf(field, value)])));
}
