import type { MaskSet } from "./mask-set.ts";
import { Masker } from "./masker.ts";

/** Masks bytes that are all there. */
export function maskBytes(set: MaskSet, bytes: Uint8Array): Uint8Array {
  const masker = new Masker(set);
  return Buffer.concat([masker.push(bytes), masker.end()]);
}

/** Masks a text that is all there. A text without a value comes back as it is. */
export function maskText(set: MaskSet, text: string): string {
  const masker = new Masker(set);
  const masked = Buffer.concat([masker.push(Buffer.from(text)), masker.end()]);
  return masker.count === 0 ? text : masked.toString();
}

/** Masks one header or trailer field value. A header's bytes are Latin-1 to Node (RFC 9110 §5.5), so it is masked as such. */
export function maskHeaderValue(set: MaskSet, value: string): string {
  const wide = /[^\0-\u{ff}]/u.test(value);
  const masker = new Masker(set);
  const masked = Buffer.concat([masker.push(Buffer.from(value, wide ? "utf8" : "latin1")), masker.end()]);
  return masker.count === 0 ? value : masked.toString(wide ? "utf8" : "latin1");
}
