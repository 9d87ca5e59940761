import { createHmac, type KeyObject, sign } from "node:crypto";

export type Json = Record<string, unknown>;

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A compact JWS of whatever header and claims, signed ES256 (as raw r ‖ s), or as `how` says. */
export function jws(header: unknown, claims: unknown, how: KeyObject | ((input: Buffer) => Buffer)): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const signature = typeof how === "function" ? how(Buffer.from(input)) : es256(how)(Buffer.from(input));
  return `${input}.${signature.toString("base64url")}`;
}

export const es256 = (key: KeyObject) => (input: Buffer) => sign("sha256", input, { key, dsaEncoding: "ieee-p1363" });
export const der = (key: KeyObject) => (input: Buffer) => sign("sha256", input, key);
export const hs256 = (secret: string | Buffer) => (input: Buffer) => createHmac("sha256", secret).update(input).digest();
export const unsigned = () => Buffer.alloc(0);

/** The JSON of a JWT's part. */
export const partOf = (token: string, index: 0 | 1): Json =>
  JSON.parse(Buffer.from(token.split(".")[index] as string, "base64url").toString());

/** One character of a base64url text made another. */
export function flipped(text: string, at: number): string {
  const other = text[at] === "A" ? "B" : "A";
  return text.slice(0, at) + other + text.slice(at + 1);
}
