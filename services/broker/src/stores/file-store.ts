import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import { type Clock, type Config, resolveReference } from "@sallyport/service";
import { CompactEncrypt, compactDecrypt } from "jose";
import type { ReadSecret, SecretStore, SecretVersion } from "./secret-store.ts";

type FileStoreConfig = Extract<Config["stores"][string], { kind: "file" }>;

interface Stored {
  /** Versions by number, from 1. */
  [path: string]: { version: number; createdAt: number; fields: Record<string, string> }[];
}

/** Versions that are kept of each secret. */
const keptVersions = 10;

/**
 * Secrets in one encrypted file (JWE, `dir` with A256GCM; RFC 7516), for development and for the demo. The key lies elsewhere,
 * by reference. Writers in several processes take turns by a lock file; a reader sees the old file or the new one.
 */
export class FileStore implements SecretStore {
  readonly #path: string;
  readonly #key: Uint8Array;
  readonly #clock: Clock;

  private constructor(path: string, key: Uint8Array, clock: Clock) {
    this.#path = path;
    this.#key = key;
    this.#clock = clock;
  }

  /** @throws Refusal STORE_UNAVAILABLE where the key cannot be read or is none */
  static async open(config: FileStoreConfig, clock: Clock): Promise<FileStore> {
    const text = resolveReference(config.key, "stores.*.key");
    const key = Buffer.from(text, "base64url");
    if (key.length !== 32)
      throw new Refusal(
        "STORE_UNAVAILABLE",
        "The file store's key is not 32 bytes in base64url; make one with: openssl rand -base64 32 | tr '+/' '-_' | tr -d '='",
      );
    return new FileStore(config.path, key, clock);
  }

  async read(path: string, version?: string): Promise<ReadSecret> {
    const versions = (await this.#load())[path] ?? [];
    const found = version === undefined ? versions.at(-1) : versions.find((one) => String(one.version) === version);
    if (found === undefined)
      throw new Refusal("STORE_UNAVAILABLE", "The file store has no value for this secret yet; write one with: sallyport secrets write");
    return {
      version: String(found.version),
      createdAt: found.createdAt,
      fields: new Map(Object.entries(found.fields).map(([name, value]) => [name, Buffer.from(value, "base64")])),
    };
  }

  async describe(path: string): Promise<SecretVersion> {
    const newest = ((await this.#load())[path] ?? []).at(-1);
    if (newest === undefined)
      throw new Refusal("STORE_UNAVAILABLE", "The file store has no value for this secret yet; write one with: sallyport secrets write");
    return { version: String(newest.version), createdAt: newest.createdAt };
  }

  async write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    return this.#locked(async () => {
      const stored = await this.#load();
      const versions = stored[path] ?? [];
      const newest = versions.at(-1)?.version ?? 0;
      if (after !== undefined && after !== String(newest)) {
        throw new Refusal(
          "INVALID_REQUEST",
          `Version ${newest} is the newest, not the one that this write follows; look again before you write.`,
        );
      }
      const encoded = Object.fromEntries([...fields].map(([name, value]) => [name, Buffer.from(value).toString("base64")]));
      const next = { version: newest + 1, createdAt: this.#clock.now(), fields: encoded };
      await this.#save({ ...stored, [path]: [...versions, next].slice(-keptVersions) });
      return String(next.version);
    });
  }

  ownCredentials(): readonly Uint8Array[] {
    return [Buffer.from(Buffer.from(this.#key).toString("base64url"))];
  }

  async check(): Promise<void> {
    await this.#load();
  }

  async close(): Promise<void> {
    this.#key.fill(0);
  }

  async #load(): Promise<Stored> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
      throw new Refusal("STORE_UNAVAILABLE", "The file store's file cannot be read; tell the operator.", { cause });
    }
    try {
      const { plaintext } = await compactDecrypt(text.trim(), this.#key, {
        keyManagementAlgorithms: ["dir"],
        contentEncryptionAlgorithms: ["A256GCM"],
      });
      return JSON.parse(Buffer.from(plaintext).toString("utf8"));
    } catch (cause) {
      throw new Refusal(
        "STORE_UNAVAILABLE",
        "The file store's file does not open with its key: one of them is another's, or was altered; tell the operator.",
        { cause },
      );
    }
  }

  async #save(stored: Stored): Promise<void> {
    const jwe = await new CompactEncrypt(Buffer.from(JSON.stringify(stored)))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .encrypt(this.#key);
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      const file = await open(`${this.#path}.new`, "w", 0o600);
      await file.writeFile(jwe);
      await file.sync();
      await file.close();
      await rename(`${this.#path}.new`, this.#path);
      const folder = await open(dirname(this.#path), "r");
      await folder.sync();
      await folder.close();
    } catch (cause) {
      throw new Refusal("STORE_UNAVAILABLE", "The file store's file cannot be written; nothing was changed. Tell the operator.", { cause });
    }
  }

  /** One writer at a time over all processes: the lock is the operating system's, and ends with its holder. */
  async #locked<T>(run: () => Promise<T>): Promise<T> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const lock = new DatabaseSync(`${this.#path}.lock`, { timeout: 0 });
    try {
      await takeLock(lock);
      return await run();
    } finally {
      lock.close();
    }
  }
}

/** Tries again rather than wait inside SQLite, which would hold up the whole process, the lock's holder perhaps included. */
async function takeLock(lock: DatabaseSync): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return lock.exec("BEGIN EXCLUSIVE");
    } catch (cause) {
      if (tries === 250) throw new Refusal("STORE_UNAVAILABLE", "The file store is busy with another write; try again.", { cause });
      await sleep(20);
    }
  }
}
