import { fieldsOfText, textOfFields } from "./plain-value.ts";
import { refusals } from "./refusals.ts";
import { type ReadSecret, type SecretVersion, zero } from "./secret-store.ts";
import { Turns } from "./turns.ts";
import { utf8Text } from "./utf8-text.ts";

/** One text as a service keeps it under a name. */
export interface StoredText {
  readonly version: string;
  readonly createdAt: number | undefined;
  /** Zeroed by whoever gets it. */
  readonly bytes: Buffer;
}

export interface TextService {
  /** Undefined where there is none, or none for the broker. */
  get(path: string, version: string | undefined, signal: AbortSignal | undefined): Promise<StoredText | undefined>;
  /** @returns the new version. @throws Refusal */
  put(path: string, text: string): Promise<string>;
}

/**
 * The part that services have in common which keep one text under a name and cannot check which version a write follows:
 * fields in that text, and writes of this broker in turns.
 */
export class PlainStore {
  readonly #name: string;
  readonly #service: TextService;
  readonly #turns = new Turns();

  constructor(name: string, service: TextService) {
    this.#name = name;
    this.#service = service;
  }

  async read(path: string, version?: string, signal?: AbortSignal): Promise<ReadSecret> {
    signal?.throwIfAborted();
    const found = await this.#service.get(path, version, signal);
    if (found === undefined) throw refusals.notGiven(this.#name);
    const fields = fieldsOfText(found.bytes);
    found.bytes.fill(0);
    if (version === undefined || version === found.version) return { version: found.version, createdAt: found.createdAt, fields };
    zero(fields);
    throw refusals.failed(this.#name, "answered with another version than was asked for");
  }

  async describe(path: string, signal?: AbortSignal): Promise<SecretVersion> {
    const { version, createdAt, fields } = await this.read(path, undefined, signal);
    zero(fields);
    return { version, createdAt };
  }

  async write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    if (after !== undefined) throw refusals.cannotCheck(this.#name);
    for (const [field, value] of fields) utf8Text(field, value);
    return this.#turns.take(path, async () => {
      const found = await this.#service.get(path, undefined, undefined);
      const before = found === undefined ? new Map<string, Buffer>() : fieldsOfText(found.bytes);
      found?.bytes.fill(0);
      try {
        return await this.#service.put(path, textOfFields(new Map<string, Uint8Array>([...before, ...fields]), utf8Text));
      } finally {
        zero(before);
      }
    });
  }
}
