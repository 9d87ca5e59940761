import type { EnvironmentStore as EnvironmentConfig, Health } from "@sallyport/service";
import { contentVersion } from "../content-version.ts";
import { fieldsOfText } from "../plain-value.ts";
import { refusals } from "../refusals.ts";
import { type ReadSecret, type SecretStore, type SecretVersion, zero } from "../secret-store.ts";

/**
 * Variables of the broker's own environment, for development: every process of the same user can read them, and they stay in
 * memory for good. Read only, with one version: what is there now.
 */
export class EnvironmentStore implements SecretStore {
  readonly #name: string;
  readonly #prefix: string;
  readonly #versionKey: Uint8Array;
  readonly #env: NodeJS.ProcessEnv;

  constructor(
    name: string,
    { prefix }: Pick<EnvironmentConfig, "prefix">,
    { versionKey }: { versionKey: Uint8Array },
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.#name = name;
    this.#prefix = prefix;
    this.#versionKey = versionKey;
    this.#env = env;
  }

  async read(path: string, version?: string, signal?: AbortSignal): Promise<ReadSecret> {
    signal?.throwIfAborted();
    const variable = `${this.#prefix}${path}`;
    const text = Object.hasOwn(this.#env, variable) ? this.#env[variable] : undefined;
    if (text === undefined || text === "") throw refusals.notGiven(this.#name);
    const bytes = Buffer.from(text, "utf8");
    const fields = fieldsOfText(bytes);
    bytes.fill(0);
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

  async write(): Promise<string> {
    throw refusals.readOnly(this.#name);
  }

  ownCredentials(): readonly Uint8Array[] {
    return [];
  }

  async health(): Promise<Health> {
    return { ok: true };
  }

  async close(): Promise<void> {}
}
