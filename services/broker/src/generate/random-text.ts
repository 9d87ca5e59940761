import { randomFillSync } from "node:crypto";

export const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** @param alphabet ASCII, 2 to 94 characters. Each is drawn alike: what would favour the first ones is thrown away. */
export function randomText(length: number, alphabet: string): Buffer {
  const text = Buffer.alloc(length);
  const drawn = Buffer.alloc(256);
  const fair = 256 - (256 % alphabet.length);
  for (let at = 0; at < length; ) {
    randomFillSync(drawn);
    for (const byte of drawn) {
      if (byte < fair && at < length) text[at++] = alphabet.charCodeAt(byte % alphabet.length);
    }
  }
  drawn.fill(0);
  return text;
}
