/** The fields of a KV entry: texts only. Numbers and the like are no secrets, and their spelling would not survive. */
export function fieldsOf(data: Readonly<Record<string, unknown>>): Map<string, Buffer> {
  const fields = new Map<string, Buffer>();
  for (const [field, value] of Object.entries(data)) if (typeof value === "string") fields.set(field, Buffer.from(value, "utf8"));
  return fields;
}

/** Epoch milliseconds of an RFC 3339 text. */
export function timeOf(text: unknown): number | undefined {
  const at = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
