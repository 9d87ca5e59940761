import { AsyncLocalStorage } from "node:async_hooks";
import type { v1 } from "@google-cloud/secret-manager";
import { Refusal } from "@sallyport/contracts";
import type { Egress } from "@sallyport/egress";
import type { Clock, GcpStore as GcpConfig, Health } from "@sallyport/service";
import { AccessToken } from "../access-token.ts";
import { egressFor } from "../guarded-egress.ts";
import { PlainStore, type StoredText } from "../plain-store.ts";
import { isOutage, refusals } from "../refusals.ts";
import type { ReadSecret, SecretStore, SecretVersion } from "../secret-store.ts";
import { loadSdk } from "../vendor-sdk.ts";
import { serviceAccountRequest } from "./service-account.ts";

type Client = InstanceType<(typeof v1)["SecretManagerServiceClient"]>;

/** google.rpc.Code, as far as it decides anything here. */
const notFound = 5;
const nothingThere = new Set([notFound, 7 /* PERMISSION_DENIED */, 9 /* FAILED_PRECONDITION: disabled or destroyed */]);
const unauthenticated = 16;

/**
 * Google Cloud Secret Manager, by the vendor's SDK in its REST form, which goes out by our dialler alone. A version's data is a
 * JSON object of fields, or one field `value`. Unverified: no emulator of others was to be had.
 */
export class GcpStore implements SecretStore {
  readonly #name: string;
  readonly #project: string;
  readonly #client: Client;
  readonly #token: AccessToken;
  readonly #egress: Egress;
  readonly #timeoutMs: number;
  readonly #plain: PlainStore;

  private constructor(name: string, project: string, client: Client, token: AccessToken, egress: Egress, timeoutMs: number) {
    this.#name = name;
    this.#project = project;
    this.#client = client;
    this.#token = token;
    this.#egress = egress;
    this.#timeoutMs = timeoutMs;
    this.#plain = new PlainStore(name, {
      get: (path, version, signal) => this.#get(path, version, signal),
      put: (path, text) => this.#put(path, text),
    });
  }

  /** @param timeoutMs bound for one answer. @throws Refusal INVALID_REQUEST */
  static async open(name: string, config: GcpConfig, { clock, timeoutMs = 5000 }: { clock: Clock; timeoutMs?: number }): Promise<GcpStore> {
    const { v1 } = await loadSdk(name, "@google-cloud/secret-manager", () => import("@google-cloud/secret-manager"));
    await serviceAccountRequest(name, config.auth);
    const egress = egressFor(name, config, timeoutMs);
    const token = new AccessToken(name, egress, { clock, timeoutMs }, () => serviceAccountRequest(name, config.auth));
    const endpoint = config.endpoint === undefined ? undefined : new URL(config.endpoint);
    const client = new v1.SecretManagerServiceClient({
      fallback: true,
      universeDomain: "googleapis.com",
      ...(endpoint === undefined
        ? {}
        : { apiEndpoint: endpoint.hostname, port: portOf(endpoint), protocol: endpoint.protocol.slice(0, -1) }),
      // All that the SDK asks of its authentication in this form.
      auth: {
        universeDomain: "googleapis.com",
        getRequestHeaders: async () => new Headers(),
        fetch: (url: string | URL, init: RequestInit) => guardedFetch(egress, token, timeoutMs, url, init),
      } as never,
    });
    return new GcpStore(name, config.project, client, token, egress, timeoutMs);
  }

  read(path: string, version?: string, signal?: AbortSignal): Promise<ReadSecret> {
    return this.#plain.read(path, version, signal);
  }

  describe(path: string, signal?: AbortSignal): Promise<SecretVersion> {
    return this.#plain.describe(path, signal);
  }

  write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    return this.#plain.write(path, fields, after);
  }

  ownCredentials(): readonly Uint8Array[] {
    return this.#token.credentials();
  }

  async health(): Promise<Health> {
    try {
      const found = await this.#get("sallyport-health", undefined, undefined);
      found?.bytes.fill(0);
      return { ok: true };
    } catch (error) {
      return { ok: false, why: (error as Error).message };
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
    await this.#egress.close();
  }

  async #get(path: string, version: string | undefined, signal: AbortSignal | undefined): Promise<StoredText | undefined> {
    if (version !== undefined && !/^[1-9]\d{0,9}$/.test(version)) return undefined;
    const name = `${this.#secret(path)}/versions/${version ?? "latest"}`;
    const answer = await this.#called(() => this.#client.accessSecretVersion({ name }, this.#options()), signal);
    if (typeof answer === "number") return undefined;
    const [{ name: found, payload }] = answer;
    const number = /\/versions\/([1-9]\d{0,9})$/.exec(found ?? "")?.[1];
    const data = payload?.data;
    if (number === undefined || data === undefined || data === null || typeof data === "string") throw this.#garbled();
    return { version: number, createdAt: undefined, bytes: Buffer.from(data) };
  }

  async #put(path: string, text: string): Promise<string> {
    const data = Buffer.from(text, "utf8");
    const add = () =>
      this.#called(
        () => this.#client.addSecretVersion({ parent: this.#secret(path), payload: { data } }, this.#options()),
        undefined,
        "write",
      );
    try {
      let answer = await add();
      if (answer === notFound) {
        const secret = { parent: `projects/${this.#project}`, secretId: path, secret: { replication: { automatic: {} } } };
        await this.#called(() => this.#client.createSecret(secret, this.#options()), undefined);
        answer = await add();
      }
      if (typeof answer === "number") throw refusals.notGiven(this.#name);
      const version = /\/versions\/([1-9]\d{0,9})$/.exec(answer[0].name ?? "")?.[1];
      if (version === undefined) throw refusals.maybeWritten(this.#name, "gave an answer that cannot be understood");
      return version;
    } finally {
      data.fill(0);
    }
  }

  /** @returns what was answered, or the code of an answer that there is nothing for the broker */
  async #called<T>(call: () => Promise<T>, signal: AbortSignal | undefined, kind: "read" | "write" = "read"): Promise<T | number> {
    const way: { refusal?: Refusal } = {};
    try {
      return await orAborted(ways.run(way, call), signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const { code } = error as { code?: unknown };
      if (typeof code === "number" && nothingThere.has(code)) return code;
      if (code === unauthenticated) {
        this.#token.refused();
        throw refusals.failed(this.#name, "does not accept the broker's credential");
      }
      const told = way.refusal;
      if (told !== undefined && (isOutage(told) || told.reason === "DESTINATION_NOT_ALLOWED")) throw told;
      if (kind === "write" && told?.metadata.effect !== "none") throw refusals.maybeWritten(this.#name, "did not answer clearly", error);
      throw refusals.failed(this.#name, "did not answer clearly in time", told ?? error);
    }
  }

  #options() {
    // No code is tried again: that is for the caller to decide, who has no time for the SDK's own delays.
    const bound = this.#timeoutMs;
    const delays = { initialRetryDelayMillis: 1, retryDelayMultiplier: 1, maxRetryDelayMillis: 1 };
    const timeouts = { initialRpcTimeoutMillis: bound, rpcTimeoutMultiplier: 1, maxRpcTimeoutMillis: bound, totalTimeoutMillis: bound };
    return { timeout: bound, retry: { retryCodes: [], backoffSettings: { ...delays, ...timeouts } } as never };
  }

  #secret(path: string): string {
    return `projects/${this.#project}/secrets/${path}`;
  }

  #garbled(): Refusal {
    return refusals.failed(this.#name, "gave an answer that cannot be understood");
  }
}

/** What the transport refused in a call: the SDK makes an error of its own of it. */
const ways = new AsyncLocalStorage<{ refusal?: Refusal }>();

async function guardedFetch(
  egress: Egress,
  token: AccessToken,
  timeoutMs: number,
  url: string | URL,
  init: RequestInit,
): Promise<Response> {
  const { method = "GET", body } = init;
  const headers = new Headers(init.headers);
  try {
    headers.set("authorization", `Bearer ${await token.get()}`);
    const answer = await egress.fetch(url, {
      method: method as "GET",
      headers: Object.fromEntries(headers),
      ...(typeof body === "string" || body instanceof Uint8Array ? { body } : {}),
      timeoutMs,
      ...(init.signal ? { signal: init.signal } : {}),
    });
    const response = new Response(answer.status === 204 ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: answer.headers,
    });
    answer.body.fill(0);
    return response;
  } catch (error) {
    const way = ways.getStore();
    if (way !== undefined && error instanceof Refusal) way.refusal = error;
    throw new Error("not fetched");
  }
}

const portOf = ({ port, protocol }: URL): number => Number(port) || (protocol === "https:" ? 443 : 80);

/** The SDK cannot be told to stop, so it is left to its own bound. */
async function orAborted<T>(call: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return call;
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([call, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
