import type { Tracer } from "@opentelemetry/api";
import { printable, Refusal } from "@sallyport/contracts";
import type { Egress } from "@sallyport/egress";
import { type Health, type KubernetesStore as KubernetesConfig, resolveReference } from "@sallyport/service";
import { egressFor } from "../guarded-egress.ts";
import { jsonAnswer } from "../json-answer.ts";
import { refusals } from "../refusals.ts";
import { type ReadSecret, type SecretStore, type SecretVersion, zero } from "../secret-store.ts";

/** A Secret as the API has it (core/v1). */
interface Secret {
  readonly metadata: { readonly resourceVersion: string; readonly creationTimestamp?: string; readonly [key: string]: unknown };
  readonly data?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

type Answer = { readonly status: number; readonly json: Record<string, unknown> | undefined };

/** Tries of a write that follows no version in particular, where others write the same Secret meanwhile. */
const maxTries = 8;
const maxAnswerBytes = 2 * 1024 * 1024;

/**
 * Secrets of one Kubernetes namespace, by the API itself. The cluster keeps the newest only, and names it by `resourceVersion`,
 * with which a write checks that no other came between. Field names are keys of `data`; values are any bytes.
 */
export class KubernetesStore implements SecretStore {
  readonly #name: string;
  readonly #config: KubernetesConfig;
  readonly #egress: Egress;
  readonly #timeoutMs: number;

  /** @param timeoutMs bound for one answer. @throws Refusal INVALID_REQUEST where the token or the certificates cannot be read */
  constructor(name: string, config: KubernetesConfig, { timeoutMs = 5000 }: { timeoutMs?: number; tracer?: Tracer | undefined } = {}) {
    this.#name = name;
    this.#config = config;
    this.#timeoutMs = timeoutMs;
    this.#token();
    this.#egress = egressFor(name, config, timeoutMs);
  }

  async read(path: string, version?: string, signal?: AbortSignal): Promise<ReadSecret> {
    const secret = await this.#secret(path, signal);
    if (secret === undefined || (version !== undefined && version !== secret.metadata.resourceVersion)) throw refusals.notGiven(this.#name);
    const fields = new Map<string, Buffer>();
    for (const [field, value] of Object.entries(secret.data ?? {})) fields.set(field, Buffer.from(value, "base64"));
    return { version: secret.metadata.resourceVersion, createdAt: undefined, fields };
  }

  async describe(path: string, signal?: AbortSignal): Promise<SecretVersion> {
    // The API has no way to ask for a Secret without its data that a role for one Secret would allow.
    const { version, createdAt, fields } = await this.read(path, undefined, signal);
    zero(fields);
    return { version, createdAt };
  }

  async write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    const named = Object.fromEntries(
      [...fields].map(([field, value]) => [field, Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")]),
    );
    for (let tries = 0; tries < maxTries; tries++) {
      const newest = await this.#secret(path);
      if (after !== undefined && after !== (newest?.metadata.resourceVersion ?? "0")) throw refusals.otherVersion();
      const written =
        newest === undefined
          ? await this.#send("POST", this.#at(), {
              apiVersion: "v1",
              kind: "Secret",
              metadata: { name: path, namespace: this.#config.namespace },
              type: "Opaque",
              data: named,
            })
          : await this.#send("PUT", this.#at(path), { ...newest, data: { ...newest.data, ...named } });
      if (written !== undefined) return written;
      if (after !== undefined) throw refusals.otherVersion();
    }
    throw refusals.failed(this.#name, "is busy: others write the same secret");
  }

  ownCredentials(): readonly Uint8Array[] {
    try {
      return [Buffer.from(this.#token())];
    } catch {
      return [];
    }
  }

  async health(): Promise<Health> {
    try {
      await this.#secret("sallyport-health");
      return { ok: true };
    } catch (error) {
      return { ok: false, why: (error as Error).message };
    }
  }

  close(): Promise<void> {
    return this.#egress.close();
  }

  /** Undefined where there is none, or none for the broker. */
  async #secret(path: string, signal?: AbortSignal): Promise<Secret | undefined> {
    let answer: Answer;
    try {
      answer = await this.#call("GET", this.#at(path), undefined, signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof Refusal && ["DESTINATION_NOT_ALLOWED", "STORE_UNAVAILABLE"].includes(error.reason)) throw error;
      throw refusals.failed(this.#name, "did not answer in time, or broke off", error);
    }
    const { status, json } = answer;
    if (status === 404 || status === 403) return undefined;
    if (status !== 200 || !isSecret(json)) throw this.#unclear(status);
    return json;
  }

  /** @returns the new version; undefined where another was first */
  async #send(method: "POST" | "PUT", at: string, body: object): Promise<string | undefined> {
    let answer: Answer;
    try {
      answer = await this.#call(method, at, body);
    } catch (error) {
      if (error instanceof Refusal && error.reason === "DESTINATION_NOT_ALLOWED") throw error;
      if (error instanceof Refusal && error.metadata.effect === "none") throw refusals.failed(this.#name, "cannot be reached", error);
      throw refusals.maybeWritten(this.#name, "did not answer", error);
    }
    const { status, json } = answer;
    if (status === 409) return undefined;
    if (status === 403 || status === 404) throw refusals.notGiven(this.#name);
    if ((status === 200 || status === 201) && isSecret(json)) return json.metadata.resourceVersion;
    throw status >= 400 && status < 500 ? this.#unclear(status) : refusals.maybeWritten(this.#name, "gave no clear answer");
  }

  async #call(method: "GET" | "POST" | "PUT", at: string, body?: object, signal?: AbortSignal): Promise<Answer> {
    const answer = await this.#egress.fetch(`${this.#config.address.replace(/\/$/, "")}${at}`, {
      method,
      headers: {
        accept: "application/json",
        authorization: `Bearer ${this.#token()}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs: this.#timeoutMs,
      maxBodyBytes: maxAnswerBytes,
      ...(signal === undefined ? {} : { signal }),
    });
    return { status: answer.status, json: jsonAnswer(answer.body) };
  }

  /** Read anew each time: the platform rotates it. */
  #token(): string {
    return resolveReference(this.#config.token, `stores.${this.#name}.token`);
  }

  #at(path?: string): string {
    const secrets = `/api/v1/namespaces/${encodeURIComponent(this.#config.namespace)}/secrets`;
    return path === undefined ? secrets : `${secrets}/${encodeURIComponent(path)}`;
  }

  #unclear(status: number): Refusal {
    if (status === 401) return refusals.failed(this.#name, "does not accept the broker's token");
    return refusals.failed(
      this.#name,
      status === 200 ? "gave an answer that cannot be understood" : `answered ${printable(String(status), 3)}`,
    );
  }
}

function isSecret(json: Record<string, unknown> | undefined): json is Secret {
  const { metadata, data = {} } = (json ?? {}) as { metadata?: { resourceVersion?: unknown }; data?: unknown };
  const version = metadata?.resourceVersion;
  if (typeof version !== "string" || version === "" || typeof data !== "object") return false;
  return Object.values(data ?? {}).every((value) => typeof value === "string");
}
