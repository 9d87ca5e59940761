import { existsSync } from "node:fs";
import { printable, Refusal } from "@sallyport/contracts";
import type { IssuerChoice, IssuerOptions } from "./issuer-choice.ts";
import { isLoopback } from "./issuer-client.ts";

/** What authn knows this command line as. */
export const frontClient = "sallyport-cli";

const answerMs = 5_000;

/** authn's own sign-in (RFC 8414 §2): where it is reached, and what its proofs are made for. */
export interface Front {
  /** Its origin, `https://HOST`. */
  readonly url: string;
  readonly audience: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly deviceEndpoint: string;
}

export interface FrontOptions extends IssuerOptions {
  readonly signInAt?: string;
  readonly authn?: string;
}

/**
 * Where a person signs in at authn itself: as the options say, else as the configuration does, else where the profile did before, else at the
 * installation's own address if it says so there. Undefined where an issuer is named, or there is no such sign-in.
 * @throws Refusal INVALID_REQUEST, TARGET_UNAVAILABLE where one is named and cannot be had
 */
export async function frontFor(options: FrontOptions, before: IssuerChoice | undefined, audience: string): Promise<Front | undefined> {
  const { issuer, clientId, provider, scope, signInAt } = options;
  if (signInAt !== undefined) return frontAt(signInAt, audience);
  if ([issuer, clientId, provider].some((named) => named !== undefined) || scope.length > 0) return undefined;
  const file = options.config ?? "sallyport.yaml";
  if (options.authn === undefined && existsSync(file)) {
    const { loadConfig } = await import("@sallyport/service");
    const { signIn } = (await loadConfig(file)).authn;
    return signIn === undefined ? undefined : frontAt(signIn.url, audience);
  }
  if (before !== undefined) return before.clientId === frontClient ? frontAt(before.issuer, audience) : undefined;
  // Nothing was said: what is not there, or not reached, is no fault.
  return frontAt(new URL(audience).origin, audience).catch(() => undefined);
}

/** The metadata there, which must be this installation's (RFC 8414 §3.3). */
async function frontAt(named: string, audience: string): Promise<Front> {
  const url = URL.parse(named);
  if (url === null || (url.protocol !== "https:" && !isLoopback(url)) || url.origin !== named.replace(/\/$/, ""))
    throw new Refusal("INVALID_REQUEST", `"${printable(named, 100)}" is no address to sign in at: write https://HOST.`);
  const path = new URL(audience).pathname.replace(/\/+$/, "");
  const metadata = await metadataAt(`${url.origin}/.well-known/oauth-authorization-server${path}`);
  if (metadata.issuer !== audience)
    throw new Refusal("UNAUTHENTICATED", `What answers at ${url.origin} is another installation than ${printable(audience, 100)}.`);
  const endpoint = (name: string): string => {
    const value = URL.parse(String(metadata[name]));
    if (value === null) throw new Refusal("INVALID_REQUEST", `Nobody signs in at ${url.origin}: its authn has no authn.signIn.`);
    return value.href;
  };
  // Their names are the installation's own, which need not lead anywhere; the same paths are served at its front.
  const [tokenEndpoint, deviceEndpoint] = [endpoint("token_endpoint"), endpoint("device_authorization_endpoint")];
  const authorizationEndpoint = endpoint("authorization_endpoint");
  const page = new URL(authorizationEndpoint);
  // The installation's own metadata may say that its page is elsewhere; what answers in its name elsewhere may not.
  if ((page.origin !== url.origin && url.origin !== new URL(audience).origin) || (page.protocol !== "https:" && !isLoopback(page)))
    throw new Refusal("UNAUTHENTICATED", `People sign in at ${printable(page.origin, 100)}: name that.`);
  return { url: page.origin, audience, authorizationEndpoint, tokenEndpoint, deviceEndpoint };
}

async function metadataAt(address: string): Promise<Record<string, unknown>> {
  try {
    const response = await fetch(address, { redirect: "error", signal: AbortSignal.timeout(answerMs) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return (await response.json()) as Record<string, unknown>;
  } catch (cause) {
    throw new Refusal("TARGET_UNAVAILABLE", `${printable(new URL(address).origin, 100)} does not say how to sign in; check the address.`, {
      cause,
    });
  }
}
