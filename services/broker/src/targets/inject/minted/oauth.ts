import { printable, Refusal } from "@sallyport/contracts";
import type { Egress } from "@sallyport/egress";
import type { Inject } from "@sallyport/service";
import * as oauth from "oauth4webapi";
import { type Fields, fieldUtf8 } from "../field-text.ts";
import type { Mint } from "./minted.ts";

/** Seconds that a token is used for where its issuer does not say (RFC 6749 §5.1 only recommends it). */
const unsaidSeconds = 300;
/** RFC 6749 §5.2: the answers of a token endpoint that may be repeated to an agent; other text could hold anything. */
const knownErrors = new Set([
  "invalid_request",
  "invalid_client",
  "invalid_grant",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
]);

/** Fetches access tokens by client credentials (RFC 6749 §4.4) or by a refresh token (§6). */
export function oauthMint(
  target: string,
  settings: NonNullable<Inject["oauth"]>,
  fields: Fields,
  egress: Pick<Egress, "fetch">,
  now: () => number,
): Mint {
  const client = {
    client_id: settings.clientIdField === undefined ? (settings.clientId as string) : fieldUtf8(fields, settings.clientIdField, "OAuth"),
  };
  const secret = fieldUtf8(fields, settings.clientSecret, "OAuth");
  const original = settings.refreshToken === undefined ? undefined : fieldUtf8(fields, settings.refreshToken, "OAuth");
  const server: oauth.AuthorizationServer = { issuer: new URL(settings.tokenUrl).origin, token_endpoint: settings.tokenUrl };
  const auth = settings.clientAuth === "post" ? oauth.ClientSecretPost(secret) : oauth.ClientSecretBasic(secret);
  const asked = new URLSearchParams();
  for (const name of ["scope", "audience", "resource"] as const) if (settings[name] !== undefined) asked.set(name, settings[name]);
  const options = { [oauth.customFetch]: through(egress), [oauth.allowInsecureRequests]: settings.tokenUrl.startsWith("http:") };
  return async (previous) => {
    const mintedAt = now();
    const refreshToken = previous?.refreshToken ?? original;
    try {
      const answer =
        refreshToken === undefined
          ? await oauth.processClientCredentialsResponse(
              server,
              client,
              await oauth.clientCredentialsGrantRequest(server, client, auth, asked, options),
            )
          : await oauth.processRefreshTokenResponse(
              server,
              client,
              await oauth.refreshTokenGrantRequest(server, client, auth, refreshToken, { ...options, additionalParameters: asked }),
            );
      if (answer.token_type !== "bearer" || !/^[\x21-\x7e]+$/.test(answer.access_token)) throw new Error("no bearer token");
      return {
        token: answer.access_token,
        mintedAt,
        goodUntil: mintedAt + (answer.expires_in ?? unsaidSeconds) * 1000,
        refreshToken: answer.refresh_token ?? previous?.refreshToken,
      };
    } catch (error) {
      throw failure(target, error);
    }
  };
}

/** The token endpoint is dialled like every destination. An ID token in its answer is nothing that was asked for. */
const through =
  (egress: Pick<Egress, "fetch">) =>
  async (url: string, { method, headers, body }: oauth.CustomFetchOptions<"POST", URLSearchParams | undefined>): Promise<Response> => {
    const fetched = await egress.fetch(url, { method, headers, ...(body === undefined ? {} : { body: body.toString() }) });
    const text = fetched.body.toString("utf8");
    return new Response(withoutIdToken(text), { status: fetched.status, headers: { ...fetched.headers } });
  };

function withoutIdToken(text: string): string {
  try {
    const { id_token: _, ...rest } = JSON.parse(text);
    return JSON.stringify(rest);
  } catch {
    return text;
  }
}

function failure(target: string, error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const code = error instanceof oauth.ResponseBodyError && knownErrors.has(error.error) ? error.error : undefined;
  const challenged = error instanceof oauth.WWWAuthenticateChallengeError;
  const what =
    code !== undefined
      ? `refuses (${code}); the operator may have to write a new client secret or refresh token`
      : challenged
        ? "does not take the client's secret; the operator may have to write a new one"
        : "gave no access token in an answer that can be read";
  return new Refusal("TARGET_UNAVAILABLE", `The token endpoint of target "${printable(target)}" ${what}. Nothing was sent to the target.`, {
    cause: error,
    metadata: { effect: "none" },
  });
}
