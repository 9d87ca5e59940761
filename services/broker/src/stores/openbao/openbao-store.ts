import { readFileSync } from "node:fs";
import type { Tracer } from "@opentelemetry/api";
import { printable, Refusal } from "@sallyport/contracts";
import { Egress } from "@sallyport/egress";
import type { Clock, Health, OpenbaoStore as OpenbaoConfig } from "@sallyport/service";
import { refusals } from "../refusals.ts";
import type { ReadSecret, SecretStore, SecretVersion } from "../secret-store.ts";
import { kvPath, urlPath } from "./kv-path.ts";
import { type ApiAnswer, OpenBaoApi } from "./openbao-api.ts";
import { OpenBaoSession } from "./openbao-session.ts";

export interface OpenBaoOptions {
  readonly tracer?: Tracer | undefined;
  /** Bound for one answer of the vault. Default 5000. */
  readonly timeoutMs?: number;
}

/** One version as KV version 2 tells it; `data` is null where it was deleted. */
interface KvVersion {
  readonly version: number;
  readonly createdAt: number | undefined;
  readonly data: Record<string, unknown> | null;
}

/** Tries of a write that follows no version in particular, where others write the same secret meanwhile. */
const maxTries = 5;

/**
 * OpenBao or Vault, KV version 2. Every answer but a clear one is STORE_UNAVAILABLE, in bounded time, and no answer tells
 * whether a path exists. Reads and writes name versions, so that what was approved is what is used, and no write is lost.
 */
export class OpenBaoStore implements SecretStore {
  readonly #name: string;
  readonly #mount: string;
  readonly #api: OpenBaoApi;
  readonly #session: OpenBaoSession;

  /** @throws Refusal INVALID_REQUEST where the mount or the certificates are not what they must be */
  constructor(name: string, config: OpenbaoConfig, clock: Clock, { tracer, timeoutMs = 5000 }: OpenBaoOptions = {}) {
    this.#name = name;
    this.#mount = config.mount.replace(/^\/|\/$/g, "");
    urlPath(this.#mount);
    const ca = config.ca === undefined ? {} : { ca: certificates(config.ca, `stores.${name}.ca`) };
    const egress = new Egress({ allow: config.network, setting: `stores.${name}.network`, connectTimeoutMs: timeoutMs, ...ca });
    this.#api = new OpenBaoApi({ address: config.address, namespace: config.namespace, egress, timeoutMs, tracer });
    this.#session = new OpenBaoSession(name, config.auth, this.#api, clock);
  }

  async read(path: string, version?: string): Promise<ReadSecret> {
    if (version !== undefined && !/^[1-9]\d{0,9}$/.test(version)) throw refusals.notGiven(this.#name);
    const found = await this.#version(path, version);
    if (found?.data === undefined || found.data === null) throw refusals.notGiven(this.#name);
    const fields = new Map<string, Buffer>();
    for (const [field, value] of Object.entries(found.data)) if (typeof value === "string") fields.set(field, Buffer.from(value, "utf8"));
    return { version: String(found.version), createdAt: found.createdAt, fields };
  }

  async describe(path: string): Promise<SecretVersion> {
    const { status, json } = await this.#call("describe", "GET", `${this.#at("metadata", path)}`);
    // Roles that may read data need not be allowed metadata.
    if (status === 403) {
      const read = await this.read(path);
      for (const value of read.fields.values()) value.fill(0);
      return { version: read.version, createdAt: read.createdAt };
    }
    if (status === 404) throw refusals.notGiven(this.#name);
    const { current_version: current, versions } = (json?.data ?? {}) as {
      current_version?: unknown;
      versions?: Record<string, Record<string, unknown>>;
    };
    if (status !== 200 || typeof current !== "number") throw this.#unclear(status);
    const newest = versions?.[String(current)];
    if (newest === undefined || newest.destroyed === true || (newest.deletion_time ?? "") !== "") throw refusals.notGiven(this.#name);
    return { version: String(current), createdAt: timeOf(newest.created_time) };
  }

  async write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    const named = Object.fromEntries([...fields].map(([name, value]) => [name, textOf(name, value)]));
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

  ownCredentials(): readonly Uint8Array[] {
    return this.#session.credentials();
  }

  async health(): Promise<Health> {
    try {
      await this.#session.token();
      const { status } = await this.#api.call("health", "GET", "sys/health", undefined);
      return status === 200 || status === 429
        ? { ok: true }
        : { ok: false, why: `Store ${this.#name} is sealed or does not serve (${status}).` };
    } catch (error) {
      return { ok: false, why: (error as Error).message };
    }
  }

  async close(): Promise<void> {
    await this.#session.close();
    await this.#api.close();
  }

  /** A version, deleted ones included; undefined where there never was any. */
  async #version(path: string, version?: string): Promise<KvVersion | undefined> {
    const { status, json } = await this.#call(
      "read",
      "GET",
      `${this.#at("data", path)}${version === undefined ? "" : `?version=${version}`}`,
    );
    if (status === 403) throw refusals.notGiven(this.#name);
    const found = kvVersion(json);
    if (status === 404) return found === undefined ? undefined : { ...found, data: null };
    if (status !== 200 || found?.data === undefined || found.data === null) throw this.#unclear(status);
    if (version !== undefined && String(found.version) !== version) throw this.#unclear(status);
    return found;
  }

  async #post(path: string, body: object): Promise<string | "other-version"> {
    let answer: ApiAnswer;
    try {
      answer = await this.#call("write", "POST", this.#at("data", path), body);
    } catch (error) {
      // The dialler says where nothing was sent.
      if (error instanceof Refusal && error.metadata.effect === "none") throw error;
      throw refusals.maybeWritten(this.#name, "did not answer", error);
    }
    const { status, json } = answer;
    if (status === 400 && JSON.stringify(json?.errors ?? "").includes("check-and-set parameter did not match")) return "other-version";
    if (status === 403 || status === 404) throw refusals.notGiven(this.#name);
    const version = (json?.data as { version?: unknown } | undefined)?.version;
    if (status === 200 && typeof version === "number") return String(version);
    throw status >= 400 && status < 500 ? this.#unclear(status) : refusals.maybeWritten(this.#name, `gave no clear answer (${status})`);
  }

  /** One call, and once more after signing in anew where the vault has forgotten the token: a restarted vault heals by itself. */
  async #call(operation: string, method: "GET" | "POST", path: string, body?: object): Promise<ApiAnswer> {
    try {
      const token = await this.#session.token();
      const answer = await this.#api.call(operation, method, path, token, body);
      if (answer.status !== 403 || !(await this.#session.forgotten(token))) return answer;
      return await this.#api.call(operation, method, path, await this.#session.token(), body);
    } catch (error) {
      if (error instanceof Refusal && ["DESTINATION_NOT_ALLOWED", "STORE_UNAVAILABLE"].includes(error.reason)) throw error;
      if (method === "POST" && !(error instanceof Refusal && error.metadata.effect === "none")) throw error;
      throw refusals.failed(this.#name, "did not answer in time, or broke off", error);
    }
  }

  #at(kind: "data" | "metadata", path: string): string {
    return `${urlPath(this.#mount)}/${kind}/${kvPath(this.#mount, path)}`;
  }

  #unclear(status: number): Refusal {
    return refusals.failed(
      this.#name,
      status === 200 ? "gave an answer that cannot be understood" : `answered ${printable(String(status), 3)}`,
    );
  }
}

function kvVersion(json: Record<string, unknown> | undefined): KvVersion | undefined {
  const { data, metadata } = (json?.data ?? {}) as { data?: unknown; metadata?: Record<string, unknown> };
  if (typeof metadata?.version !== "number" || typeof data !== "object") return undefined;
  return { version: metadata.version, createdAt: timeOf(metadata.created_time), data: data as Record<string, unknown> | null };
}

function timeOf(text: unknown): number | undefined {
  const at = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** KV keeps text: bytes that are none would not come back as they were. */
function textOf(field: string, value: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    throw new Refusal(
      "INVALID_REQUEST",
      `Field "${printable(field)}" is not UTF-8 text, which is all that this store keeps; encode it first.`,
    );
  }
}

function certificates(path: string, setting: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Refusal("INVALID_REQUEST", `${setting}: the file ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, {
      cause,
    });
  }
}
