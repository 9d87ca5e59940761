import { Metadata } from "@grpc/grpc-js";
import { printable, Refusal } from "@sallyport/contracts";
import { repeatedHeader } from "./repeated-headers.ts";

/**
 * Request headers by lower-case name, without binary ones.
 *
 * @throws Refusal INVALID_REQUEST where a name came twice: whoever reads the first and whoever reads the last would judge
 * different requests
 */
export function headersOf(metadata: Metadata): Map<string, string> {
  const headers = new Map<string, string>();
  const [repeated] = metadata.get(repeatedHeader);
  if (repeated !== undefined)
    throw new Refusal("INVALID_REQUEST", `The header ${printable(String(repeated))} came more than once; send it once.`);
  for (const name of Object.keys(metadata.getMap())) {
    const values = metadata.get(name);
    if (values.length > 1) throw new Refusal("INVALID_REQUEST", `The header ${printable(name)} came ${values.length} times; send it once.`);
    if (typeof values[0] === "string") headers.set(name, values[0]);
  }
  return headers;
}

export function metadataOf(headers: Iterable<readonly [string, string]>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.set(name, value);
  return metadata;
}
