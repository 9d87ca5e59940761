import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Refusal } from "@sallyport/contracts";
import { type Clock, type FileStore as FileStoreConfig, type Health, resolveReference } from "@sallyport/service";
import { refusals } from "../refusals.ts";
import type { ReadSecret, SecretStore, SecretVersion } from "../secret-store.ts";
import { type Contents, type StoredVersion, seal, unseal } from "./contents.ts";
import { durableReplace } from "./durable-replace.ts";
import { withWriteLock } from "./write-lock.ts";

/** Versions that are kept of each secret; KV version 2 keeps as many. */
const keptVersions = 10;
const maxFileBytes = 16 * 1024 * 1024;

/**
 * Secrets in one encrypted file, for development and for the demo. The key lies elsewhere, by reference. Writers in several
 * processes take turns; a reader sees the old file or the new one.
 */
export class FileStore implements SecretStore {
  readonly #name: string;
  readonly #path: string;
  readonly #key: Uint8Array;
  readonly #clock: Clock;

  private constructor(name: string, path: string, key: Uint8Array, clock: Clock) {
    this.#name = name;
    this.#path = path;
    this.#key = key;
    this.#clock = clock;
  }

  /** @throws Refusal INVALID_REQUEST where the key cannot be read or is none */
  static async open(name: string, config: FileStoreConfig, clock: Clock): Promise<FileStore> {
    const text = resolveReference(config.key, `stores.${name}.key`);
    if (!/^[A-Za-z0-9_-]{43}$/.test(text)) {
      throw new Refusal(
        "INVALID_REQUEST",
        `stores.${name}.key: this is not a key of 32 bytes in base64url; make one with: openssl rand -base64 32 | tr '+/' '-_' | tr -d '='`,
      );
    }
    return new FileStore(name, config.path, Buffer.from(text, "base64url"), clock);
  }

  async read(path: string, version?: string, signal?: AbortSignal): Promise<ReadSecret> {
    signal?.throwIfAborted();
    const versions = (await this.#load()).get(path) ?? [];
    const found = version === undefined ? versions.at(-1) : versions.find((one) => String(one.version) === version);
    if (found === undefined) throw refusals.notGiven(this.#name);
    const fields = new Map(Object.entries(found.fields).map(([name, value]) => [name, Buffer.from(value, "base64")]));
    return { version: String(found.version), createdAt: found.createdAt, fields };
  }

  async describe(path: string, signal?: AbortSignal): Promise<SecretVersion> {
    signal?.throwIfAborted();
    const newest = (await this.#load()).get(path)?.at(-1);
    if (newest === undefined) throw refusals.notGiven(this.#name);
    return { version: String(newest.version), createdAt: newest.createdAt };
  }

  async write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      return await withWriteLock(`${this.#path}.lock`, async () => {
        const contents = await this.#load();
        const versions = contents.get(path) ?? [];
        const newest = versions.at(-1);
        if (after !== undefined && after !== String(newest?.version ?? 0)) throw refusals.otherVersion();
        const next = this.#next(newest, fields);
        await this.#save(new Map([...contents, [path, [...versions, next].slice(-keptVersions)]]));
        return String(next.version);
      });
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw refusals.failed(this.#name, "cannot be written now", error);
    }
  }

  ownCredentials(): readonly Uint8Array[] {
    return [Buffer.from(Buffer.from(this.#key).toString("base64url"))];
  }

  async health(): Promise<Health> {
    return this.#load().then(
      () => ({ ok: true }),
      (error: Error) => ({ ok: false, why: error.message }),
    );
  }

  async close(): Promise<void> {
    this.#key.fill(0);
  }

  #next(newest: StoredVersion | undefined, fields: ReadonlyMap<string, Uint8Array>): StoredVersion {
    const encoded = [...fields].map(([name, value]) => [
      name,
      Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64"),
    ]);
    return {
      version: (newest?.version ?? 0) + 1,
      createdAt: this.#clock.now(),
      fields: { ...newest?.fields, ...Object.fromEntries(encoded) },
    };
  }

  async #load(): Promise<Contents> {
    let text: string;
    try {
      if ((await stat(this.#path)).size > maxFileBytes) throw new Error("larger than 16 MiB");
      text = await readFile(this.#path, "utf8");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return new Map();
      throw refusals.failed(this.#name, "cannot read its file", cause);
    }
    try {
      return await unseal(text, this.#key);
    } catch (cause) {
      throw refusals.failed(this.#name, "cannot open its file: the key is another's, or the file was altered", cause);
    }
  }

  async #save(contents: Contents): Promise<void> {
    const text = await seal(contents, this.#key);
    if (text.length > maxFileBytes) throw new Refusal("TOO_LARGE", "The file store would grow over 16 MiB; keep large values elsewhere.");
    await durableReplace(this.#path, text);
  }
}
