import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/**
 * Seals what must lie in shared state and cannot be read again: AES-256-GCM under a key that the brokers share and state does not hold,
 * derived for one purpose (RFC 5869). The context binds a text to its place, so that whoever writes to state cannot move it.
 */
export class StateSeal {
  readonly #key: Buffer;

  /** @param brokerKey 32 random bytes, the same for every broker of the installation */
  constructor(brokerKey: Uint8Array, purpose: string) {
    this.#key = Buffer.from(hkdfSync("sha256", brokerKey, new Uint8Array(), `sallyport ${purpose} seal v1`, 32));
  }

  /** JSON of `value`, sealed. */
  seal(value: unknown, context: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, iv).setAAD(Buffer.from(context));
    const plain = Buffer.from(JSON.stringify(value));
    const sealed = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    plain.fill(0);
    return JSON.stringify(sealed.toString("base64url"));
  }

  /** @throws Error where another key sealed it, at another place, or it was altered */
  open(sealed: string, context: string): unknown {
    const bytes = Buffer.from(JSON.parse(sealed) as string, "base64url");
    const decipher = createDecipheriv("aes-256-gcm", this.#key, bytes.subarray(0, 12), { authTagLength: 16 }).setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(-16));
    const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    try {
      return JSON.parse(plain.toString("utf8"));
    } catch {
      // A parser's error quotes what it read.
      throw new Error("what was sealed is no JSON");
    } finally {
      plain.fill(0);
    }
  }
}
