import { openbaoPath } from "@sallyport/service";
import { contentVersion } from "../content-version.ts";
import { refusals } from "../refusals.ts";
import { type ReadSecret, type SecretVersion, zero } from "../secret-store.ts";
import { Turns } from "../turns.ts";
import { utf8Text } from "../utf8-text.ts";
import { fieldsOf } from "./kv-data.ts";
import type { KvEngine } from "./kv-engine.ts";
import { kvPath } from "./kv-path.ts";
import type { OpenBaoClient } from "./openbao-client.ts";

/**
 * KV version 1: it keeps one value and no versions. What is there is named by a keyed hash of it, so that a use which was
 * approved for one value is not made with another. It cannot check and set: writes of one broker take turns, those of several do not.
 */
export class KvV1 implements KvEngine {
  readonly #name: string;
  readonly #mount: string;
  readonly #client: OpenBaoClient;
  readonly #versionKey: Uint8Array;
  readonly #turns = new Turns();

  constructor(name: string, mount: string, client: OpenBaoClient, versionKey: Uint8Array) {
    this.#name = name;
    this.#mount = mount;
    this.#client = client;
    this.#versionKey = versionKey;
  }

  async read(path: string, version?: string, signal?: AbortSignal): Promise<ReadSecret> {
    const data = await this.#data(path, signal);
    if (data === undefined) throw refusals.notGiven(this.#name);
    const fields = fieldsOf(data);
    const now = contentVersion(this.#versionKey, fields);
    if (version !== undefined && version !== now) {
      zero(fields);
      throw refusals.notGiven(this.#name);
    }
    return { version: now, createdAt: undefined, fields };
  }

  async describe(path: string, signal?: AbortSignal): Promise<SecretVersion> {
    const { version, createdAt, fields } = await this.read(path, undefined, signal);
    zero(fields);
    return { version, createdAt };
  }

  async write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    if (after !== undefined) throw refusals.cannotCheck(this.#name);
    const named = Object.fromEntries([...fields].map(([name, value]) => [name, utf8Text(name, value)]));
    return this.#turns.take(path, async () => {
      const body = { ...(await this.#data(path)), ...named };
      const { status } = await this.#client.call({ operation: "write", method: "POST", path: this.#at(path), body });
      if (status === 403 || status === 404) throw refusals.notGiven(this.#name);
      if (status !== 204 && status !== 200) throw this.#client.unclearWrite(status);
      const written = fieldsOf(body);
      try {
        return contentVersion(this.#versionKey, written);
      } finally {
        zero(written);
      }
    });
  }

  async #data(path: string, signal?: AbortSignal): Promise<Record<string, unknown> | undefined> {
    const { status, json } = await this.#client.call({ operation: "read", method: "GET", path: this.#at(path), signal });
    if (status === 403) throw refusals.notGiven(this.#name);
    if (status === 404) return undefined;
    const data = json?.data;
    if (status !== 200 || typeof data !== "object" || data === null || Array.isArray(data)) throw this.#client.unclear(status);
    return data as Record<string, unknown>;
  }

  #at(path: string): string {
    return `${openbaoPath(this.#mount)}/${kvPath(this.#mount, path)}`;
  }
}
