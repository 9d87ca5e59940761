import { Refusal } from "@sallyport/contracts";
import type { TargetConfig } from "../catalogue/catalogue.ts";

/**
 * The header that carries the secret (RFC 6750 §2.1 for a bearer).
 * @throws Refusal STORE_UNAVAILABLE where the stored value is none that a header can carry
 */
export function credentialHeader(config: TargetConfig, fields: ReadonlyMap<string, Uint8Array>): [string, string] {
  const { inject } = config;
  const [name, field, scheme] =
    inject.bearer === undefined ? [inject.header.name.toLowerCase(), inject.header.field, ""] : ["authorization", inject.bearer, "Bearer "];
  const value = fields.get(field);
  if (value === undefined) throw unusable(field, "is missing from the secret");
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
  const form = scheme === "" ? /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/ : /^[\x21-\x7e]+$/;
  if (!form.test(text))
    throw unusable(field, "is empty, or holds a line break, a space at an end or another character that this header cannot carry");
  return [name, `${scheme}${text}`];
}

const unusable = (field: string, why: string) =>
  new Refusal(
    "STORE_UNAVAILABLE",
    `The field "${field}", which this target needs, ${why}; the operator can write a new version. Nothing was sent.`,
    { metadata: { effect: "none" } },
  );
