import { createPublicKey } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import { type CredentialSigner, jwkThumbprint } from "@sallyport/identity";
import type { TransitKey } from "@sallyport/service";
import type { KeyringOptions } from "../credential-keyring.ts";
import { TransitClient } from "./transit-client.ts";

/** Milliseconds between two looks at the key's versions. */
const lookEveryMs = 2_000;

/** As many as whoever verifies takes in. */
const maxVersions = 16;

interface Version {
  readonly version: number;
  readonly kid: string;
  readonly jwk: object;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/**
 * The keys that sign credentials in OpenBao's transit engine: each version of one ecdsa-p256 key is one, named by its thumbprint
 * (RFC 7638). `bao write -f transit/keys/NAME/rotate` makes a version, which is published at once and signs after a while; raising
 * `min_decryption_version` takes older ones away. Every authn asks the same engine, so that none needs a file. While it cannot be
 * reached nothing is signed, and what was signed verifies on.
 */
export class TransitKeyring {
  readonly #options: Omit<KeyringOptions, "file">;
  readonly #config: TransitKey;
  readonly #client: TransitClient;
  readonly #timer: NodeJS.Timeout;
  #versions: readonly Version[] = [];
  #looking: Promise<void> | undefined;
  #complained = false;

  constructor(config: TransitKey, options: Omit<KeyringOptions, "file">) {
    this.#config = config;
    this.#options = options;
    this.#client = new TransitClient(config);
    this.#timer = setInterval(() => void this.look(), lookEveryMs).unref();
    void this.look();
  }

  /** The newest version that was published long enough, or the oldest where none was. @throws Refusal STORE_UNAVAILABLE while none is known */
  signer(): CredentialSigner {
    const ripe = this.#options.clock.now() - this.#config.signsAfterSeconds * 1000;
    const chosen = this.#versions.findLast(({ createdAt }) => createdAt <= ripe) ?? this.#versions[0];
    if (chosen === undefined) {
      throw new Refusal("STORE_UNAVAILABLE", "OpenBao has not told the keys that sign credentials yet; try again in a moment.", {
        retryAfterMs: 1_000,
      });
    }
    return { kid: chosen.kid, sign: (input) => this.#sign(chosen.version, input) };
  }

  /** The JWK Set (RFC 7517) that is published now; empty while none is known. */
  jwks(): string {
    return this.#versions.length === 0 ? "" : JSON.stringify({ keys: this.#versions.map(({ jwk }) => jwk) });
  }

  /** Asks which versions there are. Never throws: what is known stays. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { log, onChange } = this.#options;
    try {
      const { mount, key } = this.#config;
      const versions = versionsOf(await this.#client.call("GET", `${mount}/keys/${key}`));
      const kids = versions.map(({ kid }) => kid);
      if (kids.join() !== this.#versions.map(({ kid }) => kid).join()) {
        await onChange(kids);
        this.#versions = versions;
        log.info({ kids }, "the keys that sign credentials were changed");
      }
      this.#complained = false;
    } catch (error) {
      if (!this.#complained) log.error({ err: error }, "the keys that sign credentials cannot be read from OpenBao; trying again");
      this.#complained = true;
    }
  }

  async #sign(version: number, input: Uint8Array): Promise<Uint8Array> {
    const { mount, key } = this.#config;
    const { signature } = await this.#client.call("POST", `${mount}/sign/${key}/sha2-256`, {
      input: Buffer.from(input).toString("base64"),
      key_version: version,
      marshaling_algorithm: "jws",
    });
    const [, signed = ""] = /^vault:v\d+:([A-Za-z0-9_-]{86})$/.exec(String(signature)) ?? [];
    if (signed === "") throw new Refusal("STORE_UNAVAILABLE", "OpenBao gave no ES256 signature: its key must be of the type ecdsa-p256.");
    return Buffer.from(signed, "base64url");
  }
}

/** @throws Error for a key of another type, or an answer that cannot be understood */
function versionsOf(data: Record<string, unknown>): Version[] {
  if (data.type !== "ecdsa-p256") throw new Error("the key is not of the type ecdsa-p256");
  const least = Number(data.min_decryption_version);
  const known = Object.entries(data.keys as Record<string, { public_key: string; creation_time: string }>)
    .map(([version, { public_key: pem, creation_time: created }]) => ({ version: Number(version), pem, createdAt: Date.parse(created) }))
    .filter(({ version, createdAt }) => version >= least && Number.isFinite(createdAt))
    .sort((one, other) => one.version - other.version)
    .slice(-maxVersions);
  if (known.length === 0) throw new Error("the key has no version");
  return known.map(({ version, pem, createdAt }) => {
    const { kty, crv, x, y } = createPublicKey(pem).export({ format: "jwk" });
    const kid = jwkThumbprint({ kty, crv, x, y });
    return { version, createdAt, kid, jwk: { kty, crv, x, y, kid, alg: "ES256", use: "sig" } };
  });
}
