import { type Health, type OpenbaoStore as OpenbaoConfig, openbaoPath } from "@sallyport/service";
import type { ReadSecret, SecretStore, SecretVersion } from "../secret-store.ts";
import type { KvEngine } from "./kv-engine.ts";
import { KvV1 } from "./kv-v1.ts";
import { KvV2 } from "./kv-v2.ts";
import { OpenBaoClient, type OpenBaoOptions } from "./openbao-client.ts";

/**
 * OpenBao or Vault. Every answer but a clear one is STORE_UNAVAILABLE, in bounded time, and no answer tells whether a path
 * exists.
 */
export class OpenBaoStore implements SecretStore {
  readonly #client: OpenBaoClient;
  readonly #engine: KvEngine;

  /** @throws Refusal INVALID_REQUEST where the mount, a reference or the certificates are not what they must be */
  constructor(name: string, config: OpenbaoConfig, options: OpenBaoOptions & { readonly versionKey: Uint8Array }) {
    const mount = config.mount.replace(/^\/|\/$/g, "");
    openbaoPath(mount);
    this.#client = new OpenBaoClient(name, config, options);
    this.#engine = config.kv === 1 ? new KvV1(name, mount, this.#client, options.versionKey) : new KvV2(name, mount, this.#client);
  }

  read(path: string, version?: string, signal?: AbortSignal): Promise<ReadSecret> {
    return this.#engine.read(path, version, signal);
  }

  describe(path: string, signal?: AbortSignal): Promise<SecretVersion> {
    return this.#engine.describe(path, signal);
  }

  write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    return this.#engine.write(path, fields, after);
  }

  ownCredentials(): readonly Uint8Array[] {
    return this.#client.ownCredentials();
  }

  health(): Promise<Health> {
    return this.#client.health();
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
