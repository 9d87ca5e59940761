import { Refusal } from "@sallyport/contracts";
import * as openid from "openid-client";
import type { IssuerChoice } from "./issuer-choice.ts";
import { asking, type Grant, grantOf, isLoopback } from "./issuer-client.ts";
import { LoopbackRedirect } from "./loopback-redirect.ts";

/** Milliseconds that a person has to sign in. */
const signInMs = 5 * 60_000;

/**
 * The authorization code grant with PKCE (RFC 7636), by the person's browser and a loopback redirect (RFC 8252). State, nonce,
 * verifier and port are made for this one sign-in at this one issuer; an answer that names another issuer is refused (RFC 9207).
 *
 * @param open shows an address to the person
 * @throws Refusal UNAUTHENTICATED, TARGET_UNAVAILABLE, CANCELLED, INVALID_REQUEST where the issuer has no such grant
 */
export async function signInByBrowser(
  choice: IssuerChoice,
  client: openid.Configuration,
  open: (url: string) => void,
  timeoutMs = signInMs,
): Promise<Grant> {
  if (!hasCodeGrant(client))
    throw new Refusal("INVALID_REQUEST", "This issuer has no sign-in by authorization code with PKCE: use --device.");
  const redirect = await LoopbackRedirect.open();
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(tooLate()), timeoutMs);
  try {
    const [state, nonce, verifier] = [openid.randomState(), openid.randomNonce(), openid.randomPKCECodeVerifier()];
    const url = openid.buildAuthorizationUrl(client, {
      redirect_uri: redirect.uri,
      scope: choice.scopes.join(" "),
      state,
      nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      // OIDC Core §11: without being asked, nobody is signed in beyond their presence.
      ...(choice.scopes.includes("offline_access") ? { prompt: "consent" } : {}),
    });
    if (url.protocol !== "https:" && !isLoopback(url))
      throw new Refusal("UNAUTHENTICATED", "The issuer names an address to sign in at that is not https: nothing is sent there.");
    open(url.href);
    const response = await redirect.response(state, late.signal);
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
    return grantOf(await asking(choice.issuer, () => openid.authorizationCodeGrant(client, response, checks)));
  } finally {
    clearTimeout(timer);
    redirect.close();
  }
}

/** An issuer that says which methods of PKCE it has must have S256; many have it and say nothing (RFC 8414 §2). */
export function hasCodeGrant(client: openid.Configuration): boolean {
  const { authorization_endpoint: endpoint, code_challenge_methods_supported: methods } = client.serverMetadata();
  return endpoint !== undefined && (methods === undefined || methods.includes("S256"));
}

const tooLate = () => new Refusal("CANCELLED", "Nobody signed in in time: run the command again, or use --device.");
