import { randomUUID } from "node:crypto";
import type { GetSecretValueCommandOutput, SecretsManager } from "@aws-sdk/client-secrets-manager";
import { printable, Refusal } from "@sallyport/contracts";
import type { Egress } from "@sallyport/egress";
import type { AwsStore as AwsConfig, Health } from "@sallyport/service";
import { egressFor } from "../guarded-egress.ts";
import { fieldsOfText, plainField, textOfFields } from "../plain-value.ts";
import { refusals } from "../refusals.ts";
import { type ReadSecret, type SecretStore, type SecretVersion, zero } from "../secret-store.ts";
import { utf8Text } from "../utf8-text.ts";
import { loadSdk } from "../vendor-sdk.ts";
import { AwsTransport, collectBody } from "./aws-transport.ts";
import { AwsCredentialSource } from "./credentials.ts";

const current = "AWSCURRENT";
/** Tries of a write that follows no version in particular, where others write the same secret meanwhile. */
const maxTries = 8;

/**
 * AWS Secrets Manager. A secret's text is a JSON object of its fields, as the console writes it, or one field `value`. A write
 * stores its version beside the current one and then moves the label AWSCURRENT from the version that it followed, which AWS
 * refuses where the label has moved meanwhile: so no write is lost.
 */
export class AwsStore implements SecretStore {
  readonly #name: string;
  readonly #client: SecretsManager;
  readonly #credentials: AwsCredentialSource;
  readonly #egress: Egress;

  private constructor(name: string, client: SecretsManager, credentials: AwsCredentialSource, egress: Egress) {
    this.#name = name;
    this.#client = client;
    this.#credentials = credentials;
    this.#egress = egress;
  }

  /** @param timeoutMs bound for one answer. @throws Refusal INVALID_REQUEST */
  static async open(name: string, config: AwsConfig, timeoutMs = 5000): Promise<AwsStore> {
    const { SecretsManager } = await loadSdk(name, "@aws-sdk/client-secrets-manager", () => import("@aws-sdk/client-secrets-manager"));
    const egress = egressFor(name, config, timeoutMs);
    const credentials = new AwsCredentialSource(name, config, egress, timeoutMs);
    const client = new SecretsManager({
      region: config.region,
      ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
      credentials: () => credentials.get(),
      requestHandler: new AwsTransport(egress, timeoutMs) as never,
      streamCollector: collectBody,
      maxAttempts: 1,
      logger: undefined as never,
      useFipsEndpoint: false,
      useDualstackEndpoint: false,
      defaultsMode: "standard",
      retryMode: "standard",
      userAgentAppId: async () => undefined,
    });
    return new AwsStore(name, client, credentials, egress);
  }

  async read(path: string, version?: string, signal?: AbortSignal): Promise<ReadSecret> {
    const found = await this.#value(path, version, signal);
    if (found === undefined) throw refusals.notGiven(this.#name);
    return found;
  }

  async describe(path: string, signal?: AbortSignal): Promise<SecretVersion> {
    const found = await this.#called(signal, (options) => this.#client.describeSecret({ SecretId: path }, options));
    // Roles that may read a value need not be allowed to describe it.
    if (found === "denied") {
      const { version, createdAt, fields } = await this.read(path, undefined, signal);
      zero(fields);
      return { version, createdAt };
    }
    if (found === "none" || found.DeletedDate !== undefined) throw refusals.notGiven(this.#name);
    if (found.Name === undefined) throw this.#garbled();
    const version = Object.entries(found.VersionIdsToStages ?? {}).find(([, stages]) => stages.includes(current))?.[0];
    if (version === undefined) throw refusals.notGiven(this.#name);
    return { version, createdAt: undefined };
  }

  async write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string> {
    for (const [field, value] of fields) utf8Text(field, value);
    let unborn = false;
    for (let tries = 0; tries < maxTries; tries++) {
      const newest = await this.#value(path);
      try {
        if (after !== undefined && after !== (newest?.version ?? "0")) throw refusals.otherVersion();
        const text = textOfFields(new Map<string, Uint8Array>([...(newest?.fields ?? []), ...fields]), utf8Text);
        const stored = newest === undefined ? await this.#create(path, text, unborn) : await this.#replace(path, text, newest.version);
        if (stored !== undefined) return stored;
      } finally {
        if (newest !== undefined) zero(newest.fields);
      }
      if (after !== undefined) throw refusals.otherVersion();
      unborn = newest === undefined;
    }
    throw refusals.failed(this.#name, "is busy: others write the same secret");
  }

  ownCredentials(): readonly Uint8Array[] {
    return this.#credentials.secrets();
  }

  /** A secret that is not there tells as much as one that is: the broker is known, and is answered. */
  async health(): Promise<Health> {
    try {
      await this.#value("sallyport/health");
      return { ok: true };
    } catch (error) {
      return { ok: false, why: (error as Error).message };
    }
  }

  async close(): Promise<void> {
    this.#client.destroy();
    await this.#egress.close();
  }

  /** Undefined where there is none, or none for the broker. */
  async #value(path: string, version?: string, signal?: AbortSignal): Promise<ReadSecret | undefined> {
    // A version's id; other texts would be read as labels or not at all.
    if (version !== undefined && !/^[A-Za-z0-9-]{32,64}$/.test(version)) return undefined;
    const answer = await this.#called(signal, (options) =>
      this.#client.getSecretValue(
        { SecretId: path, ...(version === undefined ? { VersionStage: current } : { VersionId: version }) },
        options,
      ),
    );
    return answer === "none" || answer === "denied" ? undefined : this.#parsed(answer, version);
  }

  #parsed(answer: GetSecretValueCommandOutput, version: string | undefined): ReadSecret {
    const { VersionId: found, SecretString: text, SecretBinary: binary, CreatedDate: created } = answer;
    if (found === undefined || (version !== undefined && version !== found)) throw this.#garbled();
    if (text === undefined && binary === undefined) throw this.#garbled();
    const bytes = text === undefined ? Buffer.from(binary as Uint8Array) : Buffer.from(text, "utf8");
    const fields = text === undefined ? new Map([[plainField, bytes]]) : fieldsOfText(bytes);
    if (text !== undefined) bytes.fill(0);
    binary?.fill(0);
    return { version: found, createdAt: created?.getTime(), fields };
  }

  /** @param there where it exists and has no value yet. @returns undefined where another was first */
  async #create(path: string, text: string, there: boolean): Promise<string | undefined> {
    const token = { ClientRequestToken: randomUUID(), SecretString: text };
    const answer = await this.#writing("maybe", () =>
      there ? this.#client.putSecretValue({ SecretId: path, ...token }) : this.#client.createSecret({ Name: path, ...token }),
    );
    if (answer === "lost") return undefined;
    if (answer.VersionId === undefined) throw refusals.maybeWritten(this.#name, "gave an answer that cannot be understood");
    return answer.VersionId;
  }

  async #replace(path: string, text: string, follows: string): Promise<string | undefined> {
    const version = randomUUID();
    const beside = `sallyport-${version}`;
    const put = await this.#writing("not yet", () =>
      this.#client.putSecretValue({ SecretId: path, SecretString: text, ClientRequestToken: version, VersionStages: [beside] }),
    );
    if (put === "lost") return undefined;
    try {
      const moved = await this.#writing("maybe", () =>
        this.#client.updateSecretVersionStage({
          SecretId: path,
          VersionStage: current,
          RemoveFromVersionId: follows,
          MoveToVersionId: version,
        }),
      );
      return moved === "lost" ? undefined : version;
    } finally {
      // A version without a label is deleted by AWS in time.
      await this.#client
        .updateSecretVersionStage({ SecretId: path, VersionStage: beside, RemoveFromVersionId: version })
        .catch(() => undefined);
    }
  }

  /** @param effect whether the value may be the current one where no clear answer came */
  async #writing<T>(effect: "maybe" | "not yet", call: () => Promise<T>): Promise<T | "lost"> {
    try {
      return await call();
    } catch (error) {
      const name = nameOf(error);
      if (["ResourceExistsException", "InvalidParameterException"].includes(name)) return "lost";
      if (denials.has(name) || name === "ResourceNotFoundException") throw refusals.notGiven(this.#name);
      const sent = !(error instanceof Refusal && error.metadata.effect === "none") && statusOf(error) !== 400;
      if (error instanceof Refusal && ["DESTINATION_NOT_ALLOWED", "STORE_UNAVAILABLE"].includes(error.reason)) throw error;
      throw effect === "maybe" && sent ? refusals.maybeWritten(this.#name, "did not answer clearly", error) : this.#failed(error);
    }
  }

  /** One call, with what it may end in. @throws Refusal, or the signal's reason */
  async #called<T>(
    signal: AbortSignal | undefined,
    call: (options: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T | "none" | "denied"> {
    signal?.throwIfAborted();
    try {
      return await call(signal === undefined ? {} : { abortSignal: signal });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const name = nameOf(error);
      // InvalidRequest: it is marked for deletion.
      if (name === "ResourceNotFoundException" || name === "InvalidRequestException") return "none";
      if (denials.has(name)) return "denied";
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): Refusal {
    if (error instanceof Refusal && ["DESTINATION_NOT_ALLOWED", "STORE_UNAVAILABLE"].includes(error.reason)) return error;
    if (error instanceof Refusal && error.reason === "INVALID_REQUEST")
      return refusals.failed(this.#name, "has no credential of the broker", error);
    const status = statusOf(error);
    if (status === undefined) return refusals.failed(this.#name, "did not answer in time, or broke off", error);
    if (status === 401 || status === 403 || unknown.has(nameOf(error)))
      return refusals.failed(this.#name, "does not accept the broker's credential", error);
    return refusals.failed(
      this.#name,
      status === 200 ? "gave an answer that cannot be understood" : `answered ${printable(String(status), 3)}`,
      error,
    );
  }

  #garbled(): Refusal {
    return refusals.failed(this.#name, "gave an answer that cannot be understood");
  }
}

const denials = new Set(["AccessDeniedException", "AccessDenied"]);
const unknown = new Set([
  "UnrecognizedClientException",
  "InvalidClientTokenId",
  "ExpiredTokenException",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
]);

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "");
const statusOf = (error: unknown): number | undefined => (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
