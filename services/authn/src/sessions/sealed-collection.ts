import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import type { State } from "@sallyport/state";

/**
 * One collection of the shared state whose entries carry a MAC under a key that the state does not hold. Whoever can write
 * to the state cannot make a session or a ticket; an entry with a false MAC is refused, never read.
 */
export class SealedCollection {
  readonly #state: State;
  readonly #name: string;
  readonly #key: Uint8Array;

  /** @param secret what only authn holds; the MAC key is derived from it (RFC 5869) */
  constructor(state: State, name: string, secret: Uint8Array) {
    this.#state = state;
    this.#name = name;
    this.#key = new Uint8Array(hkdfSync("sha256", secret, "", `sallyport authn state ${name}`, 32));
  }

  async get(id: string): Promise<{ text: string; version: number } | undefined> {
    const entry = await this.#state.get(this.#name, id);
    return entry === undefined ? undefined : { text: this.#open(id, entry.value), version: entry.version };
  }

  /** @param text JSON */
  create(id: string, text: string, ttlMs: number): Promise<boolean> {
    return this.#state.create(this.#name, id, this.#seal(id, text), { ttlMs: atLeastOne(ttlMs) });
  }

  replace(id: string, version: number, text: string, ttlMs: number): Promise<boolean> {
    return this.#state.replace(this.#name, id, version, this.#seal(id, text), { ttlMs: atLeastOne(ttlMs) });
  }

  delete(id: string): Promise<boolean> {
    return this.#state.delete(this.#name, id);
  }

  /** The entry's own bytes stand in it, not a text with each of its quotes escaped: there are many sessions. */
  #seal(id: string, text: string): string {
    return `{"mac":"${this.#mac(id, text).toString("base64url")}","entry":${text}}`;
  }

  #open(id: string, value: string): string {
    const [, mac = "", text = ""] = /^\{"mac":"([A-Za-z0-9_-]{43})","entry":(.*)\}$/s.exec(value) ?? [];
    const expected = this.#mac(id, text);
    const shown = Buffer.from(mac, "base64url");
    if (shown.length === expected.length && timingSafeEqual(shown, expected)) return text;
    throw new Refusal("STATE_UNAVAILABLE", "The shared state holds an entry that authn did not write: have its operator look into it.");
  }

  #mac(id: string, text: string): Buffer {
    return createHmac("sha256", this.#key).update(`${id.length} ${id} ${text}`).digest();
  }
}

const atLeastOne = (ms: number) => Math.max(1, Math.ceil(ms));
