import type { Tracer } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import { type MaskEntry, refusalFor } from "@sallyport/masking";
import type { Clock, Config, Health } from "@sallyport/service";
import { FileStore } from "./file/file-store.ts";
import { kvPath } from "./openbao/kv-path.ts";
import { OpenBaoStore } from "./openbao/openbao-store.ts";
import type { ReadSecret, SecretReader, SecretStore, SecretVersion, SecretWriter } from "./secret-store.ts";

/** The configured stores, and which secret lies where. */
export class Stores implements SecretReader, SecretWriter {
  readonly #stores: ReadonlyMap<string, SecretStore>;
  readonly #secrets: Config["secrets"];

  constructor(stores: ReadonlyMap<string, SecretStore>, secrets: Config["secrets"]) {
    this.#stores = stores;
    this.#secrets = secrets;
  }

  /** @throws Refusal INVALID_REQUEST where a key, a certificate or a path is not what it must be */
  static async open(config: Pick<Config, "stores" | "secrets">, clock: Clock, { tracer }: { tracer?: Tracer } = {}): Promise<Stores> {
    const stores = new Map<string, SecretStore>();
    for (const [name, store] of Object.entries(config.stores)) {
      stores.set(name, store.kind === "file" ? await FileStore.open(name, store, clock) : new OpenBaoStore(name, store, clock, { tracer }));
    }
    for (const { store, path } of Object.values(config.secrets)) {
      const kept = config.stores[store];
      if (kept?.kind === "openbao") kvPath(kept.mount, path);
    }
    return new Stores(stores, config.secrets);
  }

  async read(secret: string, version?: string): Promise<ReadSecret> {
    const { store, path, fields } = this.#find(secret);
    const read = await store.read(path, version);
    // Only the fields that the configuration names; the others are not this secret's.
    const kept = new Map<string, Buffer>();
    for (const [name, value] of read.fields) {
      if (fields.includes(name)) kept.set(name, value);
      else value.fill(0);
    }
    return { ...read, fields: kept };
  }

  async describe(secret: string): Promise<SecretVersion> {
    const { store, path } = this.#find(secret);
    return store.describe(path);
  }

  async write(secret: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    const { store, path } = this.#find(secret);
    return store.write(path, fields, after);
  }

  /** What can be masked of the broker's own credentials; a shorter one would blank ordinary text. */
  ownCredentials(): MaskEntry[] {
    return [...this.#stores].flatMap(([name, store]) =>
      store
        .ownCredentials()
        .filter((value) => refusalFor(value) === undefined)
        .map((value) => ({ placeholder: `[sallyport:store/${name}]`, value })),
    );
  }

  /** Of each store, by name. */
  async health(): Promise<Map<string, Health>> {
    return new Map(await Promise.all([...this.#stores].map(async ([name, store]) => [name, await store.health()] as const)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#stores.values()].map((store) => store.close()));
  }

  #find(secret: string): { store: SecretStore; path: string; fields: readonly string[] } {
    const config = Object.hasOwn(this.#secrets, secret) ? this.#secrets[secret] : undefined;
    const store = config === undefined ? undefined : this.#stores.get(config.store);
    if (config === undefined || store === undefined)
      throw new Refusal("STORE_UNAVAILABLE", "No store is configured for this secret; tell the operator.");
    return { store, path: config.path, fields: config.fields };
  }
}
