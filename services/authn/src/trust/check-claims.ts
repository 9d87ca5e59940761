import { Refusal } from "@sallyport/contracts";
import { checkRequirements } from "./check-requirements.ts";
import { type Claims, refused } from "./outside-token.ts";
import { trustDomainOf } from "./spiffe-id.ts";
import type { TrustProvider } from "./trust-provider.ts";

/** Most actors that a token's `act` claim may nest. */
const maxActors = 16;

/** A token is remembered until it expires; one that is valid for longer than this (400 days) is nothing but a password. */
const maxLifeSeconds = 400 * 86_400;

/**
 * The checks of OIDC Core §3.1.3.7 and RFC 7519 §4.1 on a token whose signature is good, in their order.
 * @param now epoch milliseconds
 * @returns `exp`, epoch seconds
 */
export function checkClaims(claims: Claims, provider: TrustProvider, now: number): number {
  const { skewSeconds } = provider;
  const seconds = now / 1000;
  checkIssuer(claims, provider);
  checkAudience(claims, provider);
  const exp = timeOf(claims.exp, "exp");
  if (exp === undefined) throw refused("it never expires");
  if (seconds >= exp + skewSeconds) throw refused("it has expired");
  if (exp - seconds > maxLifeSeconds) throw refused("it is valid for longer than any token should be");
  const nbf = timeOf(claims.nbf, "nbf");
  if (nbf !== undefined && nbf > seconds + skewSeconds) throw refused("it is not valid yet; the clocks may differ");
  const iat = timeOf(claims.iat, "iat");
  if (iat !== undefined && iat > seconds + skewSeconds) throw refused("it was issued in the future; the clocks may differ");
  // OIDC Back-Channel Logout §2.4: a logout token looks like an ID token but for `events`.
  if (claims.events !== undefined) throw refused("it was made for another purpose");
  checkActors(claims.act);
  checkRequirements(claims, provider);
  return exp;
}

/** By `iss`; or, for a JWT-SVID (§3), which may have none, by the trust domain of its SPIFFE ID. */
function checkIssuer({ iss, sub }: Claims, { issuer, trustDomain }: TrustProvider): void {
  if (trustDomain === undefined && iss !== issuer) throw refused("it names another issuer");
  if (trustDomain !== undefined && trustDomainOf(sub) !== trustDomain) throw refused("its subject is no SPIFFE ID of the trust domain");
}

/** Every audience must be ours (OIDC Core §3.1.3.7, 3): a token for others too could be shown here by them. */
function checkAudience(claims: Claims, provider: TrustProvider): void {
  const audiences = typeof claims.aud === "string" ? [claims.aud] : claims.aud;
  if (!Array.isArray(audiences) || audiences.length === 0 || !audiences.every((one) => provider.audiences.includes(one))) {
    throw refused("it is for another audience");
  }
  if (
    audiences.length > 1 &&
    claims.azp !== undefined &&
    ![...provider.audiences, ...(provider.clients ?? [])].includes(claims.azp as string)
  ) {
    throw refused("it was given to another party");
  }
}

/** RFC 7519 §2 NumericDate, here whole seconds only, within what a date can be. */
function timeOf(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > 8.64e12)
    throw refused(`its \`${name}\` is no whole number of seconds`);
  return value;
}

/**
 * RFC 8693 §4.1: `act` is an object that names an actor and may nest earlier ones. Nothing is decided by it; a malformed one
 * is refused all the same, as whoever wrote it meant something that cannot be known.
 */
function checkActors(act: unknown): void {
  let actor = act;
  for (let depth = 0; actor !== undefined; depth++) {
    const wellFormed = typeof actor === "object" && actor !== null && !Array.isArray(actor) && depth < maxActors;
    const { sub, iss, act: earlier } = (wellFormed ? actor : {}) as Record<string, unknown>;
    if (typeof sub !== "string" || sub === "" || (iss !== undefined && typeof iss !== "string")) {
      throw new Refusal(
        "INVALID_REQUEST",
        `The subject token's \`act\` claim is malformed: it must name its actors by \`sub\`, at most ${maxActors} deep.`,
      );
    }
    actor = earlier;
  }
}
