import type { KeyVaultSecret, SecretClient } from "@azure/keyvault-secrets";
import { printable, Refusal } from "@sallyport/contracts";
import type { Egress } from "@sallyport/egress";
import { type AzureStore as AzureConfig, type Clock, type Health, resolveReference } from "@sallyport/service";
import { AccessToken, type TokenRequest } from "../access-token.ts";
import { egressFor } from "../guarded-egress.ts";
import { PlainStore, type StoredText } from "../plain-store.ts";
import { isOutage, refusals } from "../refusals.ts";
import type { ReadSecret, SecretStore, SecretVersion } from "../secret-store.ts";
import { loadSdk } from "../vendor-sdk.ts";
import { azureTransport } from "./azure-transport.ts";

export interface AzureOptions {
  readonly clock: Clock;
  /** Bound for one answer. Default 5000. */
  readonly timeoutMs?: number;
  /** For tests: a way out that knows names which no name service has. */
  readonly egress?: Egress;
}

/**
 * Azure Key Vault, by the vendor's SDK over our dialler. A secret's value is a JSON object of fields, or one field `value`. The
 * broker signs in as an application, at the configured authority whatever a challenge names. Unverified: no emulator of others
 * was to be had.
 */
export class AzureStore implements SecretStore {
  readonly #name: string;
  readonly #client: SecretClient;
  readonly #token: AccessToken;
  readonly #egress: Egress;
  readonly #plain: PlainStore;

  private constructor(name: string, client: SecretClient, token: AccessToken, egress: Egress) {
    this.#name = name;
    this.#client = client;
    this.#token = token;
    this.#egress = egress;
    this.#plain = new PlainStore(name, {
      get: (path, version, signal) => this.#get(path, version, signal),
      put: (path, text) => this.#put(path, text),
    });
  }

  /** @throws Refusal INVALID_REQUEST */
  static async open(name: string, config: AzureConfig, { clock, timeoutMs = 5000, egress: given }: AzureOptions): Promise<AzureStore> {
    const { SecretClient } = await loadSdk(name, "@azure/keyvault-secrets", () => import("@azure/keyvault-secrets"));
    const { createHttpHeaders } = await loadSdk(name, "@azure/core-rest-pipeline", () => import("@azure/core-rest-pipeline"));
    if (!config.address.startsWith("https:"))
      throw new Refusal("INVALID_REQUEST", `stores.${name}.address: a key vault is reached by https only.`);
    const egress = given ?? egressFor(name, config, timeoutMs);
    tokenRequest(name, config);
    const token = new AccessToken(name, egress, { clock, timeoutMs }, async () => tokenRequest(name, config));
    const credential = { getToken: async () => ({ token: await token.get(), expiresOnTimestamp: Date.now() + 120_000 }) };
    const client = new SecretClient(config.address, credential, {
      httpClient: azureTransport(egress, timeoutMs, createHttpHeaders),
      retryOptions: { maxRetries: 0 },
    });
    return new AzureStore(name, client, token, egress);
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

  close(): Promise<void> {
    return this.#egress.close();
  }

  async #get(path: string, version: string | undefined, signal: AbortSignal | undefined): Promise<StoredText | undefined> {
    if (version !== undefined && !/^[0-9a-f]{32}$/.test(version)) return undefined;
    const options = { ...(version === undefined ? {} : { version }), ...(signal === undefined ? {} : { abortSignal: signal }) };
    try {
      return this.#parsed(await this.#client.getSecret(path, options));
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const status = statusOf(error);
      // 403 also for one that is disabled or not valid yet.
      if (status === 404 || status === 403) return undefined;
      throw this.#failed(error, status);
    }
  }

  async #put(path: string, text: string): Promise<string> {
    try {
      return this.#parsed(await this.#client.setSecret(path, text)).version;
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 || status === 403) throw refusals.notGiven(this.#name);
      if ((status !== undefined && status >= 400 && status < 500) || unsent(error)) throw this.#failed(error, status);
      throw refusals.maybeWritten(this.#name, "did not answer clearly", error);
    }
  }

  #parsed({ value, properties }: KeyVaultSecret): StoredText {
    if (typeof value !== "string" || typeof properties?.version !== "string")
      throw refusals.failed(this.#name, "gave an answer that cannot be understood");
    return { version: properties.version, createdAt: properties.createdOn?.getTime(), bytes: Buffer.from(value, "utf8") };
  }

  #failed(error: unknown, status: number | undefined): Refusal {
    if (error instanceof Refusal && (isOutage(error) || error.reason === "DESTINATION_NOT_ALLOWED")) return error;
    if (status === 401) {
      this.#token.refused();
      return refusals.failed(this.#name, "does not accept the broker's credential");
    }
    return refusals.failed(
      this.#name,
      status === undefined || status < 300 ? "did not answer clearly in time" : `answered ${printable(String(status), 3)}`,
      error,
    );
  }
}

/** OAuth client credentials (RFC 6749 §4.4), by a secret or by the platform's own token (RFC 7523 §2.2). */
function tokenRequest(store: string, { authority, auth }: AzureConfig): TokenRequest {
  const resolved = (reference: string, setting: string) => resolveReference(reference, `stores.${store}.auth.${setting}`);
  const proof: Record<string, string> =
    auth.clientSecret === undefined
      ? {
          client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
          client_assertion: resolved(auth.federatedToken as string, "federatedToken"),
        }
      : { client_secret: resolved(auth.clientSecret, "clientSecret") };
  return {
    url: `${authority.replace(/\/$/, "")}/${encodeURIComponent(auth.tenantId)}/oauth2/v2.0/token`,
    form: { grant_type: "client_credentials", client_id: auth.clientId, scope: "https://vault.azure.net/.default", ...proof },
  };
}

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode;
const unsent = (error: unknown): boolean => error instanceof Refusal && error.metadata.effect === "none";
