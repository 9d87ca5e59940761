import { createHash } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import { decodeJwt, decodeProtectedHeader } from "jose";
import type { PublishedKey } from "./published-keys.ts";
import { trustDomainOf } from "./spiffe-id.ts";
import type { TrustProvider } from "./trust-provider.ts";
import { signatureHolds } from "./verify-jws.ts";

/** The claims of a token, its signature checked. */
export type Claims = Readonly<Record<string, unknown>>;

/** Most characters of an outside token. */
export const maxTokenLength = 16 * 1024;

/** What a token claims of itself: only to choose the provider whose keys then check it. */
export interface Claimed {
  /** Its `iss`; or, without one, the trust domain of the SPIFFE ID that it names. */
  readonly issuers: readonly string[];
  readonly audiences: readonly unknown[];
}

export function claimed(token: string): Claimed {
  if (token.length > maxTokenLength)
    throw new Refusal("TOO_LARGE", "The subject token is larger than 16 KiB: ask its issuer for a smaller one.");
  // RFC 7515 §2 and §7.1: three parts, each in base64url without padding; a decoder may be more patient.
  if (!/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(token)) throw refused("it is no signed JWT that names its issuer");
  try {
    const { iss, sub, aud } = decodeJwt(token);
    const domain = trustDomainOf(sub);
    const issuers = [...(domain === undefined ? [] : [`spiffe://${domain}`]), ...(typeof iss === "string" ? [iss] : [])];
    if (issuers.length > 0) return { issuers, audiences: [aud].flat() };
  } catch {
    // Not a JWT: refused below with the same words, whatever it was.
  }
  throw refused("it is no signed JWT that names its issuer");
}

/**
 * A signed token's claims and its own id. What the header says about keys (`jwk`, `jku`, `x5u`, `x5c`) is never looked at; its
 * `alg` must be one that the provider lists, and the key one that the issuer publishes for exactly that algorithm.
 */
export async function verifySignature(
  token: string,
  provider: TrustProvider,
  find: (algorithm: string, kid: string | undefined) => Promise<PublishedKey>,
): Promise<Claims> {
  const { alg, kid, typ, crit, cty } = header(token);
  if (typeof alg !== "string" || !provider.algorithms.includes(alg))
    throw refused("its signature algorithm is not accepted from its issuer");
  if (kid !== undefined && typeof kid !== "string") throw refused("its key id is not a text");
  if (crit !== undefined) throw refused("it needs an extension that is not understood");
  // A token made for another purpose (an access token, a logout token, a proof) says so in `typ` (RFC 8725 §3.11).
  if (typ !== undefined && (typeof typ !== "string" || !/^(application\/)?(jwt|jose)$/i.test(typ)))
    throw refused("it was made for another purpose");
  // RFC 7519 §5.2: what is signed would be another token, of whose claims nothing is known here.
  if (cty !== undefined) throw refused("it holds another token");
  const { key } = await find(alg, kid);
  try {
    if (!signatureHolds(token, alg, key)) throw new Error("the signature is another");
    const payload = Buffer.from(token.split(".")[1] as string, "base64url");
    return asObject(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)));
  } catch (cause) {
    throw refused("its signature does not match", cause);
  }
}

/** Names one token: its `jti` where it has one, else the hash of what was signed, as a signature can be respelt. */
export function tokenIdOf(token: string, claims: Claims): string {
  const name =
    typeof claims.jti === "string" && claims.jti !== "" ? `jti ${claims.jti}` : `signed ${token.slice(0, token.lastIndexOf("."))}`;
  return createHash("sha256")
    .update(`${claims.iss ?? claims.sub} ${name}`)
    .digest("base64url");
}

export const refused = (why: string, cause?: unknown) =>
  new Refusal(
    "UNAUTHENTICATED",
    `The subject token is not accepted: ${why}. Sign in at its issuer again.`,
    cause === undefined ? {} : { cause },
  );

function header(token: string): Record<string, unknown> {
  try {
    return decodeProtectedHeader(token) as Record<string, unknown>;
  } catch (cause) {
    throw refused("it is no signed JWT that names its issuer", cause);
  }
}

function asObject(value: unknown): Claims {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("claims are no object");
  return value as Claims;
}
