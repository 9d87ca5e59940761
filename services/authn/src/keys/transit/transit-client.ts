import { Refusal } from "@sallyport/contracts";
import { Egress } from "@sallyport/egress";
import { certificatesIn, openbaoSignIn, resolveReference, type TransitKey } from "@sallyport/service";

const setting = "authn.signingKey.openbao";
const timeoutMs = 3_000;
const maxBodyBytes = 256 * 1024;

/** Calls of OpenBao's HTTP API as authn, signed in; what goes wrong is a refusal that says what to look at. */
export class TransitClient {
  readonly #config: TransitKey;
  readonly #egress: Egress;
  #token: Promise<string> | undefined;

  /** @throws Refusal INVALID_REQUEST where its certificates cannot be read */
  constructor(config: TransitKey) {
    this.#config = config;
    const trusted = config.ca === undefined ? {} : { ca: certificatesIn(config.ca, `${setting}.ca`) };
    this.#egress = new Egress({ allow: config.network, setting: `${setting}.network`, connectTimeoutMs: timeoutMs, ...trusted });
  }

  /** @param path below `/v1/` @throws Refusal STORE_UNAVAILABLE */
  async call(method: "GET" | "POST", path: string, body?: object): Promise<Record<string, unknown>> {
    const signedIn = this.#signedIn();
    const first = await this.#ask(method, path, body, await signedIn);
    if (first.status === 200) return dataOf(first);
    if (first.status !== 403) throw failed(`answered ${first.status}`);
    // The token may have run out, or be forgotten: once more with another, which whoever was told earlier may have already.
    if (this.#token === signedIn) this.#token = undefined;
    const again = await this.#ask(method, path, body, await this.#signedIn());
    if (again.status === 200) return dataOf(again);
    throw failed(again.status === 403 ? "does not allow authn to do this: look at its policy" : `answered ${again.status}`);
  }

  #signedIn(): Promise<string> {
    this.#token ??= this.#signIn().catch((error) => {
      this.#token = undefined;
      throw error;
    });
    return this.#token;
  }

  async #signIn(): Promise<string> {
    const { auth } = this.#config;
    const signIn = openbaoSignIn(auth, `${setting}.auth`);
    if (signIn === undefined) return resolveReference(auth.token as string, `${setting}.auth.token`);
    const { path, body } = signIn;
    const answer = await this.#ask("POST", path, body, undefined);
    const given = answer.status === 200 ? (answer.json.auth as { client_token?: unknown } | null)?.client_token : undefined;
    if (typeof given !== "string") throw failed("did not let authn sign in");
    return given;
  }

  async #ask(method: "GET" | "POST", path: string, body: object | undefined, token: string | undefined) {
    const { address, namespace } = this.#config;
    const headers = {
      ...(token === undefined ? {} : { "x-vault-token": token }),
      ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
      "content-type": "application/json",
    };
    try {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const url = `${address.replace(/\/+$/, "")}/v1/${path}`;
      const answer = await this.#egress.fetch(url, { method, headers, maxBodyBytes, timeoutMs, ...sent });
      const text = answer.body.toString("utf8");
      return { status: answer.status, json: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
    } catch (cause) {
      if (cause instanceof Refusal && cause.reason === "DESTINATION_NOT_ALLOWED") throw cause;
      throw failed("cannot be reached", cause);
    }
  }
}

const dataOf = ({ json }: { json: Record<string, unknown> }) => (json.data ?? {}) as Record<string, unknown>;

/** Nothing of the answer is quoted: it is another system's text. */
const failed = (what: string, cause?: unknown) =>
  new Refusal("STORE_UNAVAILABLE", `The OpenBao that keeps the key for credentials ${what}; nobody can sign in or renew until it does.`, {
    retryAfterMs: 1_000,
    cause,
  });
