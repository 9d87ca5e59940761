import { Refusal } from "@sallyport/contracts";

/**
 * What standard input says of a secret's fields. No error quotes any of it.
 *
 * @param field the one field whose value the input is; undefined: the input is a JSON object
 * @param trim leaves out one line break at the value's end
 * @throws Refusal INVALID_REQUEST
 */
export function fieldsOf(input: Buffer, field: string | undefined, trim: boolean): Record<string, Uint8Array> {
  if (field !== undefined) {
    const end = trim ? (/\r?\n$/.exec(input.toString("latin1"))?.[0].length ?? 0) : 0;
    return { [field]: input.subarray(0, input.length - end) };
  }
  const value = parse(input);
  const entries = Object.entries(value);
  if (entries.length === 0 || !entries.every((entry): entry is [string, string] => typeof entry[1] === "string")) {
    throw new Refusal("INVALID_REQUEST", 'Each field\'s value is a text: {"token":"…"}. A value that is no text goes by --field.');
  }
  return Object.fromEntries(entries.map(([name, text]) => [name, Buffer.from(text, "utf8")]));
}

function parse(input: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(input));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Its message would quote the input.
  }
  throw new Refusal("INVALID_REQUEST", 'Standard input is no JSON object, such as {"token":"…"}; --field NAME takes one value as it is.');
}
