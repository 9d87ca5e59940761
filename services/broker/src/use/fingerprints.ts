import { createHmac, createSecretKey, hkdfSync, type KeyObject } from "node:crypto";

/**
 * Keyed hashes. The agent's fingerprint of a value is made with a key per secret, so that guesses cannot be compared across
 * secrets; a statement's with a key that only brokers hold, so that evidence proves what ran without telling it.
 */
export class Fingerprints {
  readonly #root: Uint8Array;
  readonly #statementKey: KeyObject;

  /** @param brokerKey 32 random bytes, the same for every broker of the installation */
  constructor(brokerKey: Uint8Array) {
    this.#root = brokerKey;
    this.#statementKey = createSecretKey(derive(brokerKey, "sallyport statement hash v1"));
  }

  /** For agents: comparable between versions of this secret's field only. 24 characters. */
  ofValue(secret: string, field: string, value: Uint8Array): string {
    const key = derive(this.#root, `sallyport fingerprint v1 ${secret}`);
    return createHmac("sha256", key).update(field).update("\0").update(value).digest("base64url").slice(0, 24);
  }

  /** For evidence: the exact bytes of what was sent, hex. */
  ofStatement(bytes: Uint8Array): string {
    return createHmac("sha256", this.#statementKey).update(bytes).digest("hex");
  }
}

const derive = (key: Uint8Array, info: string) => Buffer.from(hkdfSync("sha256", key, new Uint8Array(), info, 32));
