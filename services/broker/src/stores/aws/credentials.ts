import type { Egress } from "@sallyport/egress";
import { type AwsStore as AwsConfig, resolveReference } from "@sallyport/service";
import { refusals } from "../refusals.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

type Auth = AwsConfig["auth"];

/**
 * The broker's credentials for AWS: an access key, or a role that its platform's token may assume. None is taken from the
 * environment, shared files or the machine's metadata service: what is not in the configuration is not used.
 */
export class AwsCredentialSource {
  readonly #name: string;
  readonly #config: Pick<AwsConfig, "region" | "auth">;
  readonly #egress: Egress;
  readonly #timeoutMs: number;
  #last: AwsCredentials | undefined;

  /** @throws Refusal INVALID_REQUEST where a reference leads to nothing */
  constructor(name: string, config: Pick<AwsConfig, "region" | "auth">, egress: Egress, timeoutMs: number) {
    this.#name = name;
    this.#config = config;
    this.#egress = egress;
    this.#timeoutMs = timeoutMs;
    if (config.auth.webIdentity !== undefined) this.#resolved(config.auth.webIdentity.token, "webIdentity.token");
    else this.#last = this.#accessKey();
  }

  /** What the SDK asks for; it asks again before `expiration`. @throws Refusal STORE_UNAVAILABLE */
  async get(): Promise<AwsCredentials> {
    this.#last = this.#config.auth.webIdentity === undefined ? this.#accessKey() : await this.#assumed(this.#config.auth.webIdentity);
    return this.#last;
  }

  secrets(): readonly Uint8Array[] {
    return [this.#last?.secretAccessKey, this.#last?.sessionToken].flatMap((text) => (text === undefined ? [] : [Buffer.from(text)]));
  }

  #accessKey(): AwsCredentials {
    const { id, secret, sessionToken } = this.#config.auth.accessKey as NonNullable<Auth["accessKey"]>;
    return {
      accessKeyId: this.#resolved(id, "accessKey.id"),
      secretAccessKey: this.#resolved(secret, "accessKey.secret"),
      ...(sessionToken === undefined ? {} : { sessionToken: this.#resolved(sessionToken, "accessKey.sessionToken") }),
    };
  }

  /** STS AssumeRoleWithWebIdentity: an unsigned call, which the token itself authenticates. */
  async #assumed({ roleArn, token, endpoint }: NonNullable<Auth["webIdentity"]>): Promise<AwsCredentials> {
    const form = new URLSearchParams({
      Action: "AssumeRoleWithWebIdentity",
      Version: "2011-06-15",
      RoleArn: roleArn,
      RoleSessionName: "sallyport-broker",
      WebIdentityToken: this.#resolved(token, "webIdentity.token"),
    });
    const suffix = this.#config.region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    const answer = await this.#egress.fetch(endpoint ?? `https://sts.${this.#config.region}.${suffix}`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: form.toString(),
      timeoutMs: this.#timeoutMs,
    });
    const text = answer.body.toString("utf8");
    answer.body.fill(0);
    // The four elements hold neither markup nor references in any answer of STS.
    const element = (name: string) => new RegExp(`<${name}>([^<&]{1,4096})</${name}>`).exec(text)?.[1]?.trim();
    const [accessKeyId, secretAccessKey] = [element("AccessKeyId"), element("SecretAccessKey")];
    const [sessionToken, ends] = [element("SessionToken"), Date.parse(element("Expiration") ?? "")];
    if (
      answer.status !== 200 ||
      accessKeyId === undefined ||
      secretAccessKey === undefined ||
      sessionToken === undefined ||
      Number.isNaN(ends)
    )
      throw refusals.failed(this.#name, answer.status < 500 ? "refused the broker's sign-in" : "cannot sign the broker in");
    return { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(ends) };
  }

  #resolved(reference: string, setting: string): string {
    return resolveReference(reference, `stores.${this.#name}.auth.${setting}`);
  }
}
