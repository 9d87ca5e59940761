import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import canonicalize from "canonicalize";

/**
 * Protects reviews in shared state with keys that state does not hold: whoever can write there can neither forge a vote
 * (HMAC-SHA-256 over RFC 8785 JSON) nor read what was asked (AES-256-GCM). Keys are derived from the brokers' key (RFC 5869).
 */
export class ReviewSeal {
  readonly #macKey: Buffer;
  readonly #sealKey: Buffer;

  /** @param brokerKey 32 random bytes, the same for every broker of the installation */
  constructor(brokerKey: Uint8Array) {
    this.#macKey = derive(brokerKey, "sallyport review mac v1");
    this.#sealKey = derive(brokerKey, "sallyport review preview v1");
  }

  /** The review as state keeps it. */
  wrap(review: object): string {
    return JSON.stringify({ review, mac: this.#mac(review) });
  }

  /** The review, or `undefined` where the text is not one that a broker wrote. */
  unwrap(text: string): unknown {
    let parsed: { review?: object; mac?: string };
    try {
      parsed = JSON.parse(text);
    } catch {
      return undefined;
    }
    if (typeof parsed.review !== "object" || parsed.review === null || typeof parsed.mac !== "string") return undefined;
    const expected = Buffer.from(this.#mac(parsed.review));
    const given = Buffer.from(parsed.mac);
    return expected.length === given.length && timingSafeEqual(expected, given) ? parsed.review : undefined;
  }

  seal(text: string, context: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#sealKey, iv).setAAD(Buffer.from(context));
    return Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64url");
  }

  open(sealed: string, context: string): string {
    const bytes = Buffer.from(sealed, "base64url");
    const decipher = createDecipheriv("aes-256-gcm", this.#sealKey, bytes.subarray(0, 12)).setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString("utf8");
  }

  #mac(review: object): string {
    return createHmac("sha256", this.#macKey)
      .update(canonicalize(review) ?? "")
      .digest("base64url");
  }
}

const derive = (key: Uint8Array, info: string) => Buffer.from(hkdfSync("sha256", key, new Uint8Array(), info, 32));
