import { timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type CredentialSigner, parseSigningKeys, publishedAt, type SigningKeys, signerAt } from "@sallyport/identity";

/** Milliseconds between two looks at the key file. */
const lookEveryMs = 1000;

export interface KeyringOptions {
  readonly file: string;
  readonly clock: { now(): number };
  /** Told before other keys come into use; where it fails they do not, and it is told again. */
  readonly onChange: (kids: readonly string[]) => Promise<unknown>;
  readonly log: { info(facts: object, text: string): void; error(facts: object, text: string): void };
}

/**
 * The keys that sign credentials, read again whenever their file changes: they are rotated while authn runs. A file that cannot
 * be used changes nothing, and is complained of once.
 */
export class CredentialKeyring {
  readonly #options: KeyringOptions;
  readonly #timer: NodeJS.Timeout;
  #keys: SigningKeys;
  #text: string;
  #looking = false;
  #published: { readonly keys: SigningKeys; readonly kids: string; readonly jwks: string } | undefined;

  /** @param keys what the file held at the start, and its text */
  constructor(keys: SigningKeys, text: string, options: KeyringOptions) {
    this.#keys = keys;
    this.#text = text;
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), lookEveryMs).unref();
  }

  /** The key to sign with now. */
  signer(): CredentialSigner {
    return signerAt(this.#keys, this.#options.clock.now());
  }

  /** The JWK Set (RFC 7517) that is published now. */
  jwks(): string {
    const now = this.#options.clock.now();
    const kids = this.#keys.keys.flatMap(({ kid, publishedUntil }) => ((publishedUntil ?? Infinity) * 1000 > now ? [kid] : [])).join(" ");
    if (this.#published?.keys !== this.#keys || this.#published.kids !== kids) {
      this.#published = { keys: this.#keys, kids, jwks: publishedAt(this.#keys, now) };
    }
    return this.#published.jwks;
  }

  /** Reads the file again, where it has changed. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { file, log, onChange } = this.#options;
    try {
      const text = await readFile(file, "utf8");
      if (text === this.#text) return;
      const keys = this.#usable(text);
      if (keys !== undefined) {
        const kids = keys.keys.map(({ kid }) => kid);
        await onChange(kids);
        this.#keys = keys;
        log.info({ kids }, "the keys that sign credentials were changed");
      }
      this.#text = text;
    } catch (error) {
      log.error({ err: error, file }, "the changed keys that sign credentials are not in use yet; trying again");
    } finally {
      this.#looking = false;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #usable(text: string): SigningKeys | undefined {
    const { file, clock, log } = this.#options;
    try {
      const keys = parseSigningKeys(text);
      signerAt(keys, clock.now());
      if (sameBytes(keys.stateSecret, this.#keys.stateSecret)) return keys;
      log.error({ file }, "the key file holds another state_secret, which only a restart takes up: the keys from before stay in use");
    } catch (error) {
      log.error({ file, why: (error as Error).message }, "the key file cannot be used: the keys from before stay in use");
    }
    return undefined;
  }
}

const sameBytes = (one: Uint8Array, other: Uint8Array) => one.length === other.length && timingSafeEqual(one, other);
