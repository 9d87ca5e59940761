import { createHmac } from "node:crypto";

/** Hex digits of a hash: 96 bits, so that two values are not taken for one. */
const digits = 24;

/** A key for the hashes of found values. Equal values have equal hashes under one key, so that they can be joined; without it none can be guessed. */
export class DataHash {
  readonly #key: Uint8Array;

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    if (key.length !== 32) throw new Error("a key for hashes has 32 bytes");
    this.#key = key;
  }

  /** HMAC-SHA-256 (RFC 2104) over category and value. */
  of(category: string, value: string): string {
    return createHmac("sha256", this.#key).update(`${category}\0`).update(value, "latin1").digest("hex").slice(0, digits);
  }
}
