import { parseGroup, parsePrincipalId } from "@sallyport/identity";
import { type Claims, refused } from "./outside-token.ts";
import type { TrustProvider } from "./trust-provider.ts";

/** Who a token's claims say it is, in Sallyport's words. A name that cannot be one is refused, never mended or left out. */
export function mapClaims(
  claims: Claims,
  provider: TrustProvider,
): { principal: string; groups: readonly string[]; owner: string | undefined } {
  const subject = claimAt(claims, provider.claims.subject);
  if (typeof subject !== "string" || subject === "") throw refused(`it has no \`${provider.claims.subject}\` claim to name its subject by`);
  const owner = provider.claims.owner === undefined ? undefined : claimAt(claims, provider.claims.owner);
  if (owner !== undefined && (typeof owner !== "string" || owner === "")) throw refused("its owner claim is not a text");
  return {
    principal: parsePrincipalId(`${provider.name}/${subject}`),
    groups: groupsOf(claims, provider),
    owner: owner === undefined ? undefined : parsePrincipalId(`${provider.claims.ownerProvider ?? provider.name}/${owner}`),
  };
}

function groupsOf(claims: Claims, provider: TrustProvider): readonly string[] {
  const claim = provider.claims.groups;
  if (claim === undefined) return [];
  // Where a token would be too large an issuer may only point to the groups (OIDC Core §5.6.2). Taking that for "no groups"
  // would also lose every `forbid` that names one.
  const elsewhere = claims._claim_names;
  if (typeof elsewhere === "object" && elsewhere !== null && Object.hasOwn(elsewhere, claim)) {
    throw refused("its groups are too many to stand in it; have the issuer send only those that matter here");
  }
  const value = claimAt(claims, claim);
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((group) => typeof group === "string")) throw refused("its groups claim is no list of names");
  return [...new Set(value.map((group: string) => parseGroup(`${provider.name}/${group}`)))];
}

/** A claim by its own name, or by a dotted path where no claim has that name (`realm_access.roles`). */
function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const step of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}
