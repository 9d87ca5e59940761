import { randomFillSync } from "node:crypto";

/** `length` random bytes, as the text that stores keep. */
export function randomEncoded(length: number, encoding: "base64url" | "base64" | "hex"): Buffer {
  const bytes = randomFillSync(Buffer.alloc(length));
  const text = Buffer.from(bytes.toString(encoding), "latin1");
  bytes.fill(0);
  return text;
}
