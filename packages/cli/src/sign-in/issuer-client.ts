import { printable, Refusal } from "@sallyport/contracts";
import * as openid from "openid-client";
import type { IssuerChoice } from "./issuer-choice.ts";

/** What an issuer gave for a sign-in. */
export interface Grant {
  readonly idToken: string;
  /** For a later sign-in without the person; only where the issuer gives one. */
  readonly refreshToken: string | undefined;
}

/**
 * The issuer's metadata and keys (OpenID Connect Discovery), for a public client. Plain HTTP only to this machine itself.
 * Signatures of ID tokens are checked here too, though authn does not take this side's word for it.
 * @throws Refusal TARGET_UNAVAILABLE, UNAUTHENTICATED, INVALID_REQUEST
 */
export async function discoverIssuer({ issuer, clientId }: IssuerChoice): Promise<openid.Configuration> {
  const url = URL.parse(issuer);
  if (url === null || (url.protocol !== "https:" && !isLoopback(url)))
    throw new Refusal("INVALID_REQUEST", `"${printable(issuer, 100)}" is no issuer: write its https URL.`);
  const execute = [openid.enableNonRepudiationChecks, ...(url.protocol === "http:" ? [openid.allowInsecureRequests] : [])];
  const found = await asking(issuer, () => openid.discovery(url, clientId, undefined, openid.None(), { execute, timeout: 10 }));
  // The library compares as URLs; RFC 9207 §2.4 and authn compare as text.
  if (found.serverMetadata().issuer !== issuer)
    throw new Refusal(
      "UNAUTHENTICATED",
      `The issuer calls itself "${printable(found.serverMetadata().issuer, 100)}": write it exactly so.`,
    );
  return found;
}

/** Loopback as RFC 8252 §8.3 has it: the addresses, never a name that could be resolved elsewhere, save the one reserved for it. */
export const isLoopback = ({ hostname }: URL): boolean => ["127.0.0.1", "[::1]", "localhost"].includes(hostname);

/** The ID token of a token response. @throws Refusal UNAUTHENTICATED where there is none */
export function grantOf(tokens: { id_token?: string; refresh_token?: string }): Grant {
  const { id_token: idToken, refresh_token: refreshToken } = tokens;
  if (idToken === undefined)
    throw new Refusal("UNAUTHENTICATED", "The issuer gave no ID token: let this client ask for the scope openid there.");
  return { idToken, refreshToken };
}

/** Asks the issuer something; whatever goes wrong is a Refusal, and quotes no token. */
export async function asking<T>(issuer: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const at = printable(issuer, 100);
    if (error instanceof openid.AuthorizationResponseError || error instanceof openid.ResponseBodyError) {
      const { error: code, error_description: description = "" } = error;
      throw new Refusal("UNAUTHENTICATED", `The issuer ${at} refused: ${printable(code, 60)} ${printable(description, 200)}`.trimEnd(), {
        cause: error,
      });
    }
    if (isUnreachable(error)) {
      throw new Refusal("TARGET_UNAVAILABLE", `The issuer ${at} does not answer; check its address and the network.`, { cause: error });
    }
    throw new Refusal("UNAUTHENTICATED", `The answer of the issuer ${at} does not hold: ${printable((error as Error).message, 200)}.`, {
      cause: error,
    });
  }
}

/** `fetch` fails with a TypeError whose cause is the network's, and a timeout with its own name. */
const isUnreachable = (error: unknown): boolean =>
  error instanceof Error &&
  ((error.cause instanceof Error && "code" in error.cause && error.cause.name !== "OperationProcessingError") ||
    error.message === "fetch failed" ||
    ("code" in error && error.code === "OAUTH_TIMEOUT"));
