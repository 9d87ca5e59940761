import { printable, Refusal } from "@sallyport/contracts";

/**
 * Headers by lower-case name.
 *
 * @param raw name, value, name, value, … as node:http received them; its `headers` would already have dropped repetitions
 * @throws Refusal INVALID_REQUEST where a name came twice
 */
export function requestHeaders(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    if (headers.has(name)) throw new Refusal("INVALID_REQUEST", `The header ${printable(name)} came more than once; send it once.`);
    headers.set(name, raw[index + 1] as string);
  }
  return headers;
}
