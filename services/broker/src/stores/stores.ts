import { context, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
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
  readonly #tracer: Tracer | undefined;

  constructor(stores: ReadonlyMap<string, SecretStore>, secrets: Config["secrets"], tracer?: Tracer) {
    this.#stores = stores;
    this.#secrets = secrets;
    this.#tracer = tracer;
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
    return new Stores(stores, config.secrets, tracer);
  }

  async read(secret: string, version?: string): Promise<ReadSecret> {
    const { store, path, fields, named } = this.#find(secret);
    const read = await this.#traced("read", named, () => store.read(path, version));
    // Only the fields that the configuration names; the others are not this secret's.
    const kept = new Map<string, Buffer>();
    for (const [name, value] of read.fields) {
      if (fields.includes(name)) kept.set(name, value);
      else value.fill(0);
    }
    return { ...read, fields: kept };
  }

  async describe(secret: string): Promise<SecretVersion> {
    const { store, path, named } = this.#find(secret);
    return this.#traced("describe", named, () => store.describe(path));
  }

  async write(secret: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    const { store, path, named } = this.#find(secret);
    return this.#traced("write", named, () => store.write(path, fields, after));
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

  /** A span around a store's work, which names the store and never the secret: a trace goes to people who may not list secrets. */
  async #traced<T>(operation: string, store: string, act: () => Promise<T>): Promise<T> {
    const span = this.#tracer?.startSpan(`secret ${operation}`, { attributes: { "sallyport.store": store } });
    if (span === undefined) return act();
    try {
      return await context.with(trace.setSpan(context.active(), span), act);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, ...(error instanceof Refusal ? { message: error.reason } : {}) });
      throw error;
    } finally {
      span.end();
    }
  }

  #find(secret: string): { store: SecretStore; path: string; fields: readonly string[]; named: string } {
    const config = Object.hasOwn(this.#secrets, secret) ? this.#secrets[secret] : undefined;
    const store = config === undefined ? undefined : this.#stores.get(config.store);
    if (config === undefined || store === undefined)
      throw new Refusal("STORE_UNAVAILABLE", "No store is configured for this secret; tell the operator.");
    return { store, path: config.path, fields: config.fields, named: config.store };
  }
}
