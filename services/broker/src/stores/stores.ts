import { hkdfSync, randomBytes } from "node:crypto";
import type { Meter, Tracer } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import { type MaskEntry, refusalFor } from "@sallyport/masking";
import type { Clock, Config, Health } from "@sallyport/service";
import { checkPath } from "./check-path.ts";
import { StoreConnection } from "./connection/store-connection.ts";
import { StoreMetrics } from "./connection/store-metrics.ts";
import { openStore } from "./open-store.ts";
import type { ReadSecret, SecretReader, SecretVersion, SecretWriter } from "./secret-store.ts";

export { unverifiedKinds } from "./open-store.ts";

export interface StoresOptions {
  readonly tracer?: Tracer;
  readonly meter?: Meter;
  /** Shared by the brokers of one installation; a random one where left out. */
  readonly brokerKey?: Uint8Array;
}

/** The configured stores, and which secret lies where. */
export class Stores implements SecretReader, SecretWriter {
  readonly #stores: ReadonlyMap<string, StoreConnection>;
  readonly #secrets: Config["secrets"];

  private constructor(stores: ReadonlyMap<string, StoreConnection>, secrets: Config["secrets"]) {
    this.#stores = stores;
    this.#secrets = secrets;
  }

  /** @throws Refusal INVALID_REQUEST where a key, a certificate or a path is not what it must be, or an SDK is missing */
  static async open(config: Pick<Config, "stores" | "secrets">, clock: Clock, options: StoresOptions = {}): Promise<Stores> {
    const { tracer, meter, brokerKey = randomBytes(32) } = options;
    const versionKey = Buffer.from(hkdfSync("sha256", brokerKey, "", "sallyport store content version", 32));
    for (const { store, path } of Object.values(config.secrets)) {
      const kept = Object.hasOwn(config.stores, store) ? config.stores[store] : undefined;
      if (kept !== undefined) checkPath(kept, path);
    }
    const stores = new Map<string, StoreConnection>();
    const metrics = meter && new StoreMetrics(meter, () => [...stores].map(([name, store]) => [name, store.serving] as const));
    try {
      for (const [name, store] of Object.entries(config.stores)) {
        const opened = await openStore(name, store, { clock, tracer, versionKey });
        stores.set(name, new StoreConnection(name, opened, { cacheSeconds: store.cacheSeconds, clock, tracer, metrics }));
      }
    } catch (error) {
      await Promise.all([...stores.values()].map((store) => store.close()));
      throw error;
    }
    return new Stores(stores, config.secrets);
  }

  async read(secret: string, version?: string, signal?: AbortSignal): Promise<ReadSecret> {
    const { store, path, fields } = this.#find(secret);
    return store.read(secret, path, fields, version, signal);
  }

  async describe(secret: string, signal?: AbortSignal): Promise<SecretVersion> {
    const { store, path } = this.#find(secret);
    return store.describe(path, signal);
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

  /** Of each store, by name: asked now. */
  async health(): Promise<Map<string, Health>> {
    return new Map(await Promise.all([...this.#stores].map(async ([name, store]) => [name, await store.health()] as const)));
  }

  /** What the last calls told of stores that did not serve: sentences for the operator. The broker goes on with the others. */
  troubles(): string[] {
    return [...this.#stores.values()].flatMap(({ trouble }) => trouble ?? []);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#stores.values()].map((store) => store.close()));
  }

  #find(secret: string): { store: StoreConnection; path: string; fields: readonly string[] } {
    const config = Object.hasOwn(this.#secrets, secret) ? this.#secrets[secret] : undefined;
    const store = config === undefined ? undefined : this.#stores.get(config.store);
    if (config === undefined || store === undefined)
      throw new Refusal("STORE_UNAVAILABLE", "No store is configured for this secret; tell the operator.");
    return { store, path: config.path, fields: config.fields };
  }
}
