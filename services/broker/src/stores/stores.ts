import { Refusal } from "@sallyport/contracts";
import type { MaskEntry } from "@sallyport/masking";
import type { Clock, Config } from "@sallyport/service";
import { FileStore } from "./file-store.ts";
import { OpenBaoStore } from "./openbao-store.ts";
import type { ReadSecret, SecretReader, SecretStore, SecretVersion, SecretWriter } from "./secret-store.ts";

/** The configured stores, and which secret lies where. */
export class Stores implements SecretReader, SecretWriter {
  readonly #stores: ReadonlyMap<string, SecretStore>;
  readonly #secrets: Config["secrets"];

  constructor(stores: ReadonlyMap<string, SecretStore>, secrets: Config["secrets"]) {
    this.#stores = stores;
    this.#secrets = secrets;
  }

  static async open(config: Pick<Config, "stores" | "secrets">, clock: Clock): Promise<Stores> {
    const stores = new Map<string, SecretStore>();
    for (const [name, store] of Object.entries(config.stores)) {
      stores.set(name, store.kind === "file" ? await FileStore.open(store, clock) : new OpenBaoStore(name, store, clock));
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

  ownCredentials(): MaskEntry[] {
    return [...this.#stores].flatMap(([name, store]) =>
      store.ownCredentials().map((value) => ({ placeholder: `[sallyport:store/${name}]`, value })),
    );
  }

  async close(): Promise<void> {
    for (const store of this.#stores.values()) await store.close();
  }

  #find(secret: string): { store: SecretStore; path: string; fields: readonly string[] } {
    const config = this.#secrets[secret];
    const store = config === undefined ? undefined : this.#stores.get(config.store);
    if (config === undefined || store === undefined)
      throw new Refusal("STORE_UNAVAILABLE", "No store is configured for this secret; tell the operator.");
    return { store, path: config.path, fields: config.fields };
  }
}
