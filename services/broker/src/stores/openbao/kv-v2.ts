import { openbaoPath } from "@sallyport/service";
import { refusals } from "../refusals.ts";
import { type ReadSecret, type SecretVersion, zero } from "../secret-store.ts";
import { utf8Text } from "../utf8-text.ts";
import { fieldsOf, timeOf } from "./kv-data.ts";
import type { KvEngine } from "./kv-engine.ts";
import { kvPath } from "./kv-path.ts";
import type { OpenBaoClient } from "./openbao-client.ts";

/** One version as KV version 2 tells it; `data` is null where it was deleted. */
interface KvVersion {
  readonly version: number;
  readonly createdAt: number | undefined;
  readonly data: Record<string, unknown> | null;
}

/** Tries of a write that follows no version in particular, where others write the same secret meanwhile. */
const maxTries = 5;

/** KV version 2: reads and writes name versions, so that what was approved is what is used, and no write is lost. */
export class KvV2 implements KvEngine {
  readonly #name: string;
  readonly #mount: string;
  readonly #client: OpenBaoClient;

  constructor(name: string, mount: string, client: OpenBaoClient) {
    this.#name = name;
    this.#mount = mount;
    this.#client = client;
  }

  async read(path: string, version?: string, signal?: AbortSignal): Promise<ReadSecret> {
    if (version !== undefined && !/^[1-9]\d{0,9}$/.test(version)) throw refusals.notGiven(this.#name);
    const found = await this.#version(path, version, signal);
    if (found?.data === undefined || found.data === null) throw refusals.notGiven(this.#name);
    return { version: String(found.version), createdAt: found.createdAt, fields: fieldsOf(found.data) };
  }

  async describe(path: string, signal?: AbortSignal): Promise<SecretVersion> {
    const { status, json } = await this.#client.call({ operation: "describe", method: "GET", path: this.#at("metadata", path), signal });
    // Roles that may read data need not be allowed metadata.
    if (status === 403) {
      const { version, createdAt, fields } = await this.read(path, undefined, signal);
      zero(fields);
      return { version, createdAt };
    }
    if (status === 404) throw refusals.notGiven(this.#name);
    const { current_version: current, versions } = (json?.data ?? {}) as {
      current_version?: unknown;
      versions?: Record<string, Record<string, unknown>>;
    };
    if (status !== 200 || typeof current !== "number") throw this.#client.unclear(status);
    const newest = versions?.[String(current)];
    if (newest === undefined || newest.destroyed === true || (newest.deletion_time ?? "") !== "") throw refusals.notGiven(this.#name);
    return { version: String(current), createdAt: timeOf(newest.created_time) };
  }

  async write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    const named = Object.fromEntries([...fields].map(([name, value]) => [name, utf8Text(name, value)]));
    for (let tries = 0; tries < maxTries; tries++) {
      const newest = await this.#version(path);
      const follows = newest?.version ?? 0;
      if (after !== undefined && after !== String(follows)) throw refusals.otherVersion();
      const answer = await this.#post(path, { options: { cas: follows }, data: { ...newest?.data, ...named } });
      if (answer !== "other-version") return answer;
      if (after !== undefined) throw refusals.otherVersion();
    }
    throw refusals.failed(this.#name, "is busy: others write the same secret");
  }

  /** A version, deleted ones included; undefined where there never was any. */
  async #version(path: string, version?: string, signal?: AbortSignal): Promise<KvVersion | undefined> {
    const at = `${this.#at("data", path)}${version === undefined ? "" : `?version=${version}`}`;
    const { status, json } = await this.#client.call({ operation: "read", method: "GET", path: at, signal });
    if (status === 403) throw refusals.notGiven(this.#name);
    const found = kvVersion(json);
    if (status === 404) return found === undefined ? undefined : { ...found, data: null };
    if (status !== 200 || found?.data === undefined || found.data === null) throw this.#client.unclear(status);
    if (version !== undefined && String(found.version) !== version) throw this.#client.unclear(status);
    return found;
  }

  async #post(path: string, body: object): Promise<string | "other-version"> {
    const { status, json } = await this.#client.call({ operation: "write", method: "POST", path: this.#at("data", path), body });
    if (status === 400 && JSON.stringify(json?.errors ?? "").includes("check-and-set parameter did not match")) return "other-version";
    if (status === 403 || status === 404) throw refusals.notGiven(this.#name);
    const version = (json?.data as { version?: unknown } | undefined)?.version;
    if (status === 200 && typeof version === "number") return String(version);
    throw this.#client.unclearWrite(status);
  }

  #at(kind: "data" | "metadata", path: string): string {
    return `${openbaoPath(this.#mount)}/${kind}/${kvPath(this.#mount, path)}`;
  }
}

function kvVersion(json: Record<string, unknown> | undefined): KvVersion | undefined {
  const { data, metadata } = (json?.data ?? {}) as { data?: unknown; metadata?: Record<string, unknown> };
  if (typeof metadata?.version !== "number" || typeof data !== "object") return undefined;
  return { version: metadata.version, createdAt: timeOf(metadata.created_time), data: data as Record<string, unknown> | null };
}
