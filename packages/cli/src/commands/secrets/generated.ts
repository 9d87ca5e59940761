import type { MessageInitShape } from "@bufbuild/protobuf";
import { BytesEncoding, type GeneratedValueSchema, KeyAlgorithm, printable, Refusal } from "@sallyport/contracts";

type Wanted = MessageInitShape<typeof GeneratedValueSchema>["kind"];

const kinds: Readonly<Record<string, (length: number) => Wanted>> = {
  text: (length) => ({ case: "text", value: { length } }),
  base64url: (length) => ({ case: "bytes", value: { length, encoding: BytesEncoding.BASE64URL } }),
  base64: (length) => ({ case: "bytes", value: { length, encoding: BytesEncoding.BASE64 } }),
  hex: (length) => ({ case: "bytes", value: { length, encoding: BytesEncoding.HEX } }),
  ed25519: () => ({ case: "keyPair", value: { algorithm: KeyAlgorithm.ED25519 } }),
  p256: () => ({ case: "keyPair", value: { algorithm: KeyAlgorithm.P256 } }),
  rsa3072: () => ({ case: "keyPair", value: { algorithm: KeyAlgorithm.RSA_3072 } }),
};

export const generatedHelp = `FIELD[=KIND[:LENGTH]], with KIND one of ${Object.keys(kinds).join(", ")}; text of 32 unless said`;

/**
 * What the broker is to make up: `password`, `password=text:40`, `key=ed25519`.
 * @param alphabet for texts, letters and digits where left out
 * @throws Refusal INVALID_REQUEST
 */
export function generatedOf(given: readonly string[], alphabet: string | undefined): Record<string, { kind: NonNullable<Wanted> }> {
  const wanted = given.map((text) => {
    const [, field = "", kind = "text", length = "0"] = /^([A-Za-z0-9._-]{1,64})(?:=([a-z0-9]+)(?::(\d{1,4}))?)?$/.exec(text) ?? [];
    const make = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (field === "" || make === undefined)
      throw new Refusal("INVALID_REQUEST", `--generate takes ${generatedHelp}; not ${printable(text, 60)}.`);
    const made = make(Number(length)) as NonNullable<Wanted>;
    if (made.case === "text" && alphabet !== undefined) made.value = { ...made.value, alphabet };
    return [field, { kind: made }] as const;
  });
  const twice = wanted.find(([field], at) => wanted.some(([other], before) => before < at && other === field));
  if (twice !== undefined) throw new Refusal("INVALID_REQUEST", `Field ${printable(twice[0])} is to be generated twice; say it once.`);
  return Object.fromEntries(wanted);
}
