import { readFileSync } from "node:fs";
import { Refusal } from "@sallyport/contracts";
import { Egress, type Fetched } from "@sallyport/egress";
import { type Clock, type Config, resolveReference } from "@sallyport/service";
import type { ReadSecret, SecretStore, SecretVersion } from "./secret-store.ts";

type OpenBaoConfig = Extract<Config["stores"][string], { kind: "openbao" }>;

/** Milliseconds that the vault may take for one answer. */
const answerMs = 4_000;

interface Login {
  readonly token: string;
  /** Monotonic milliseconds from which a new one is fetched. */
  readonly renewAt: number;
}

/**
 * OpenBao or Vault, KV version 2. The broker signs in by AppRole or brings a token; both by reference. Every answer but a
 * clear one is STORE_UNAVAILABLE, and none of them tells whether a path exists.
 */
export class OpenBaoStore implements SecretStore {
  readonly #name: string;
  readonly #config: OpenBaoConfig;
  readonly #clock: Clock;
  readonly #egress: Egress;
  #login: Promise<Login> | undefined;
  #token = "";

  constructor(name: string, config: OpenBaoConfig, clock: Clock) {
    this.#name = name;
    this.#config = config;
    this.#clock = clock;
    this.#egress = new Egress({
      allow: config.network,
      setting: `stores.${name}.network`,
      ...(config.ca === undefined ? {} : { ca: readFileSync(config.ca, "utf8") }),
    });
  }

  async read(path: string, version?: string): Promise<ReadSecret> {
    const body = await this.#call(
      "GET",
      `data/${encodePath(path)}${version === undefined ? "" : `?version=${encodeURIComponent(version)}`}`,
    );
    const { data, metadata } = (body.data ?? {}) as { data?: unknown; metadata?: { version?: number; created_time?: string } };
    if (typeof data !== "object" || data === null || typeof metadata?.version !== "number")
      throw this.#unavailable("it gave an answer that is none");
    const fields = new Map<string, Buffer>();
    for (const [field, value] of Object.entries(data)) if (typeof value === "string") fields.set(field, Buffer.from(value, "utf8"));
    return { version: String(metadata.version), createdAt: timeOf(metadata.created_time), fields };
  }

  async describe(path: string): Promise<SecretVersion> {
    const body = await this.#call("GET", `metadata/${encodePath(path)}`);
    const { current_version: current, versions } = (body.data ?? {}) as {
      current_version?: number;
      versions?: Record<string, { created_time?: string }>;
    };
    if (typeof current !== "number" || current < 1) throw this.#unavailable("it gave an answer that is none");
    return { version: String(current), createdAt: timeOf(versions?.[String(current)]?.created_time) };
  }

  async write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    const data = Object.fromEntries([...fields].map(([name, value]) => [name, textOf(name, value)]));
    const body = await this.#call(
      "POST",
      `data/${encodePath(path)}`,
      JSON.stringify({ ...(after === undefined ? {} : { options: { cas: Number(after) } }), data }),
    );
    const version = (body.data as { version?: number } | undefined)?.version;
    if (typeof version !== "number") throw this.#unavailable("it gave an answer that is none; the version may have been stored");
    return String(version);
  }

  ownCredentials(): readonly Uint8Array[] {
    return this.#token === "" ? [] : [Buffer.from(this.#token)];
  }

  async check(): Promise<void> {
    await this.#signedIn();
  }

  async close(): Promise<void> {
    await this.#egress.close();
  }

  /** One call, and once more with a fresh sign-in where the token was refused: a revoked or restarted vault heals by itself. */
  async #call(method: "GET" | "POST", path: string, body?: string): Promise<Record<string, unknown>> {
    let answer = await this.#fetch(method, path, body);
    if (answer.status === 403 && this.#config.auth.approle !== undefined) {
      this.#login = undefined;
      answer = await this.#fetch(method, path, body);
    }
    if (answer.status === 400 && answer.body.includes("check-and-set")) {
      throw new Refusal(
        "INVALID_REQUEST",
        "Another version is the newest, not the one that this write follows; look again before you write.",
      );
    }
    if (answer.status === 200) return this.#json(answer);
    throw this.#unavailable(
      answer.status === 403 || answer.status === 404 ? "it does not give this secret to the broker" : `it answered ${answer.status}`,
    );
  }

  async #fetch(method: "GET" | "POST", path: string, body?: string): Promise<Fetched> {
    const { token } = await this.#signedIn();
    return this.#exchange(method, `${this.#config.mount}/${path}`, body, { "x-vault-token": token });
  }

  #signedIn(): Promise<Login> {
    const known = this.#login ?? this.#signIn();
    this.#login = known.then(
      (login) => (login.renewAt > this.#clock.monotonic() ? login : this.#signIn()),
      () => this.#signIn(),
    );
    return this.#login;
  }

  async #signIn(): Promise<Login> {
    const { approle, token } = this.#config.auth;
    if (approle === undefined) {
      this.#token = resolveReference(token as string, `stores.${this.#name}.auth.token`);
      return { token: this.#token, renewAt: Number.POSITIVE_INFINITY };
    }
    const credentials = {
      role_id: resolveReference(approle.roleId, `stores.${this.#name}.auth.approle.roleId`),
      secret_id: resolveReference(approle.secretId, `stores.${this.#name}.auth.approle.secretId`),
    };
    const answer = await this.#exchange("POST", "auth/approle/login", JSON.stringify(credentials), {});
    if (answer.status !== 200) throw this.#unavailable("it refused the broker's sign-in");
    const auth = this.#json(answer).auth as { client_token?: string; lease_duration?: number } | undefined;
    if (typeof auth?.client_token !== "string") throw this.#unavailable("it gave a sign-in without a token");
    this.#token = auth.client_token;
    // Half of its life: a token is replaced long before it could end in the middle of a use.
    return { token: auth.client_token, renewAt: this.#clock.monotonic() + ((auth.lease_duration || 3600) * 1000) / 2 };
  }

  async #exchange(method: "GET" | "POST", path: string, body: string | undefined, headers: Record<string, string>): Promise<Fetched> {
    try {
      return await this.#egress.fetch(new URL(`/v1/${path}`, this.#config.address), {
        method,
        headers: {
          ...headers,
          "x-vault-request": "true",
          ...(this.#config.namespace === undefined ? {} : { "x-vault-namespace": this.#config.namespace }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body }),
        timeoutMs: answerMs,
      });
    } catch (error) {
      if (error instanceof Refusal && error.reason === "DESTINATION_NOT_ALLOWED") throw error;
      throw this.#unavailable("it did not answer in time", error);
    }
  }

  #json(answer: Fetched): Record<string, unknown> {
    try {
      const parsed: unknown = JSON.parse(answer.body.toString("utf8"));
      if (typeof parsed === "object" && parsed !== null) return parsed as Record<string, unknown>;
    } catch {
      // Falls through: the text could hold a value, so it goes nowhere.
    } finally {
      answer.body.fill(0);
    }
    throw this.#unavailable("it gave an answer that is none");
  }

  #unavailable(why: string, cause?: unknown): Refusal {
    return new Refusal(
      "STORE_UNAVAILABLE",
      `Store ${this.#name} could not serve this secret: ${why}. Nothing was done at the target; try again, or tell the operator.`,
      {
        retryAfterMs: 1000,
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }
}

const encodePath = (path: string) => path.split("/").map(encodeURIComponent).join("/");

const timeOf = (text: string | undefined): number | undefined => {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? undefined : at;
};

/** KV keeps text: bytes that are none would not come back as they were. */
function textOf(field: string, value: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(value);
  } catch {
    throw new Refusal("INVALID_REQUEST", `Field "${field}" is not UTF-8 text, which is all that this store keeps; encode it first.`);
  }
}
