import { printable, Refusal } from "@sallyport/contracts";
import type { Egress } from "@sallyport/egress";
import { sha256 } from "@sallyport/identity";
import * as oauth from "oauth4webapi";
import { secureUrl } from "../trust/discovery.ts";
import type { ProvenPerson } from "../trust/kept-identity.ts";
import { Refreshed, type RefreshTimes } from "../trust/refreshed.ts";
import type { TrustProviders } from "../trust/trust-providers.ts";
import { deniedThere, signInRefused } from "./refusals.ts";
import type { SignInProvider, SignInSecrets } from "./sign-in-provider.ts";

const idTokenType = "urn:ietf:params:oauth:token-type:id_token";
const metadataTimes: RefreshTimes = { freshMs: 5 * 60_000, keepMs: 24 * 3_600_000, pauseMs: 5_000 };
const answerMs = 10_000;
const maxAnswerBytes = 256 * 1024;

export interface OidcSignInOptions {
  readonly name: string;
  readonly issuer: string;
  readonly algorithms: readonly string[];
  readonly clientId: string;
  readonly clientSecret: string;
  /** Beside `openid`. */
  readonly scopes: readonly string[];
  /** Ours, registered there. */
  readonly redirectUri: string;
  /** The issuer's metadata (OIDC Discovery §4); bounded in time by itself. */
  readonly discover: () => Promise<Readonly<Record<string, unknown>>>;
  readonly egress: Pick<Egress, "fetch">;
  /** Every ID token goes by the rules of its provider, wherever it comes from. */
  readonly tokens: Pick<TrustProviders, "verify">;
  readonly clock: { monotonic(): number };
}

/** Signing in at an OIDC issuer: the authorization code flow (OIDC Core §3.1) with PKCE (RFC 7636), as its confidential client. */
export class OidcSignIn implements SignInProvider {
  readonly name: string;
  readonly #options: OidcSignInOptions;
  readonly #metadata: Refreshed<oauth.AuthorizationServer>;
  readonly #client: oauth.Client;

  constructor(options: OidcSignInOptions) {
    this.#options = options;
    this.name = options.name;
    this.#client = { client_id: options.clientId, [oauth.clockTolerance]: 60 };
    this.#metadata = new Refreshed(
      async () => parseMetadata(await options.discover(), options.algorithms),
      () => options.clock.monotonic(),
      metadataTimes,
    );
  }

  async begin({ state, nonce, verifier }: SignInSecrets): Promise<string> {
    const { clientId, scopes, redirectUri } = this.#options;
    const url = new URL((await this.#known()).authorization_endpoint as string);
    const parameters = {
      response_type: "code",
      client_id: clientId,
      redirect_uri: redirectUri,
      scope: ["openid", ...scopes.filter((scope) => scope !== "openid")].join(" "),
      state,
      nonce,
      code_challenge: sha256(verifier),
      code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  }

  async finish(answer: URLSearchParams, { state, nonce, verifier }: SignInSecrets): Promise<ProvenPerson> {
    const issuer = await this.#known();
    const idToken = await this.#asking(async () => {
      // RFC 6749 §4.1.2, RFC 9207 §2.4: the answer is this sign-in's, and of the issuer that was asked.
      const good = oauth.validateAuthResponse(issuer, this.#client, answer, state);
      const response = await oauth.authorizationCodeGrantRequest(
        issuer,
        this.#client,
        clientAuthOf(issuer, this.#options.clientSecret),
        good,
        this.#options.redirectUri,
        verifier,
        {
          [oauth.customFetch]: (url, init) => this.#fetch(url, init),
          [oauth.allowInsecureRequests]: issuer.token_endpoint?.startsWith("http:") === true,
        },
      );
      const tokens = await oauth.processAuthorizationCodeResponse(issuer, this.#client, response, {
        expectedNonce: nonce,
        requireIdToken: true,
      });
      return tokens.id_token as string;
    });
    const identity = await this.#options.tokens.verify(idToken, idTokenType);
    if (identity.provider.name !== this.name)
      throw signInRefused("other-provider", "The identity provider's answer is for another of its clients.");
    return identity;
  }

  async #known(): Promise<oauth.AuthorizationServer> {
    await this.#metadata.whenStale();
    const { known, failure: cause, times } = this.#metadata;
    if (known !== undefined) return known;
    throw new Refusal("TARGET_UNAVAILABLE", "The identity provider does not say how to sign in there right now: try again.", {
      retryAfterMs: times.pauseMs,
      cause,
    });
  }

  async #fetch(
    url: string,
    { method, headers, body }: { method: string; headers: Record<string, string>; body?: unknown },
  ): Promise<Response> {
    const answer = await this.#options.egress.fetch(secureUrl(url), {
      method: method as "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: String(body),
      timeoutMs: answerMs,
      maxBodyBytes: maxAnswerBytes,
    });
    const given = new Headers();
    for (const [name, value] of Object.entries(answer.headers)) given.append(name, value);
    return new Response(new Uint8Array(answer.body), { status: answer.status, headers: given });
  }

  /** Whatever goes wrong is a Refusal, and quotes no code or token. */
  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if (error instanceof oauth.AuthorizationResponseError && error.error === "access_denied") throw deniedThere(error);
      const said =
        error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError
          ? `it says ${printable(error.error, 60)}`
          : "it does not hold";
      throw signInRefused("answer", `The identity provider's answer is not accepted: ${said}. Begin the sign-in again.`, error);
    }
  }
}

/** What of an issuer's metadata is used. @throws where it has no such sign-in, or not by https */
function parseMetadata(metadata: Readonly<Record<string, unknown>>, algorithms: readonly string[]): oauth.AuthorizationServer {
  const endpoint = (name: string): string => {
    const value = metadata[name];
    if (typeof value !== "string") throw new Error(`the discovery document names no ${name}`);
    return secureUrl(value).href;
  };
  const methods = metadata.code_challenge_methods_supported;
  // RFC 8414 §2: who says which methods of PKCE they have must have S256; many have it and say nothing.
  if (Array.isArray(methods) && !methods.includes("S256")) throw new Error("the issuer has no PKCE by S256");
  return {
    issuer: metadata.issuer as string,
    authorization_endpoint: endpoint("authorization_endpoint"),
    token_endpoint: endpoint("token_endpoint"),
    // The library compares with these before the provider's own rules do.
    id_token_signing_alg_values_supported: [...algorithms],
    ...(metadata.authorization_response_iss_parameter_supported === true ? { authorization_response_iss_parameter_supported: true } : {}),
    ...(Array.isArray(metadata.token_endpoint_auth_methods_supported)
      ? { token_endpoint_auth_methods_supported: metadata.token_endpoint_auth_methods_supported as string[] }
      : {}),
  };
}

/** OIDC Core §9: `client_secret_basic` unless the issuer says that it has only the other. */
const clientAuthOf = (
  { token_endpoint_auth_methods_supported: methods = ["client_secret_basic"] }: oauth.AuthorizationServer,
  secret: string,
) =>
  methods.includes("client_secret_basic") || !methods.includes("client_secret_post")
    ? oauth.ClientSecretBasic(secret)
    : oauth.ClientSecretPost(secret);
