import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** Bytes of the key, of the nonce and of the tag (NIST SP 800-38D). */
const [keyBytes, nonceBytes, tagBytes] = [32, 12, 16];

export const newSealKey = (): Uint8Array => randomBytes(keyBytes);

export const isSealKey = (key: Uint8Array): boolean => key.length === keyBytes;

/** Encrypts and authenticates a text (AES-256-GCM). @param name whose text it is: it opens under no other */
export function seal(key: Uint8Array, name: string, text: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

/** @throws where the key or the name is another, or somebody changed it */
export function unseal(key: Uint8Array, name: string, sealed: string): string {
  const bytes = Buffer.from(sealed, "base64url");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(name))
    .setAuthTag(bytes.subarray(-tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString("utf8");
}
