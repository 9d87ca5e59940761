import { parseGroup, parsePrincipalId } from "@sallyport/identity";
import { claimAt, fillTemplate } from "./claim-path.ts";
import { type Claims, refused } from "./outside-token.ts";
import type { GroupRule, TrustProvider } from "./trust-provider.ts";

/** Who a token's claims say it is, in Sallyport's words. A name that cannot be one is refused, never mended or left out. */
export function mapClaims(
  claims: Claims,
  provider: TrustProvider,
): { principal: string; groups: readonly string[]; owner: string | undefined } {
  const owner = provider.claims.owner === undefined ? undefined : claimAt(claims, provider.claims.owner);
  if (owner !== undefined && (typeof owner !== "string" || owner === "")) throw refused("its owner claim is not a text");
  return {
    principal: parsePrincipalId(`${provider.name}/${subjectOf(claims, provider)}`),
    groups: groupsOf(claims, provider),
    owner: owner === undefined ? undefined : parsePrincipalId(`${provider.claims.ownerProvider ?? provider.name}/${owner}`),
  };
}

function subjectOf(claims: Claims, { claims: { subject }, trustDomain }: TrustProvider): string {
  const value = typeof subject === "string" ? claimAt(claims, subject) : fillTemplate(subject.template, claims);
  if (typeof value !== "string" || value === "")
    throw refused(`it has no \`${typeof subject === "string" ? subject : subject.template}\` claim to name its subject by`);
  // SPIFFE-ID §2: the provider's name stands for the trust domain already.
  return trustDomain === undefined ? value : value.slice(`spiffe://${trustDomain}/`.length);
}

function groupsOf(claims: Claims, { name, claims: { groups = [] } }: TrustProvider): readonly string[] {
  const rules: readonly GroupRule[] = typeof groups === "string" ? [{ claim: groups }] : groups;
  const found = rules.flatMap((rule) => groupsBy(rule, claims));
  return [...new Set(found.map((group) => parseGroup(`${name}/${group}`)))];
}

function groupsBy(rule: GroupRule, claims: Claims): readonly string[] {
  if ("template" in rule) return [fillTemplate(rule.template, claims) ?? []].flat();
  const { claim, split } = rule;
  // Where a token would be too large an issuer may only point to the groups (OIDC Core §5.6.2), or say that there are some. Taking
  // that for "no groups" would also lose every `forbid` that names one.
  const elsewhere = claims._claim_names;
  if ((typeof elsewhere === "object" && elsewhere !== null && Object.hasOwn(elsewhere, claim)) || claims.hasgroups === true) {
    throw refused("its groups are too many to stand in it; have the issuer send only those that matter here");
  }
  const value = claimAt(claims, claim);
  if (value === undefined) return [];
  if (split !== undefined && typeof value === "string") {
    return value
      .split(split === "comma" ? "," : " ")
      .map((group) => group.trim())
      .filter((group) => group !== "");
  }
  if (!Array.isArray(value) || !value.every((group) => typeof group === "string")) throw refused("its groups claim is no list of names");
  return value;
}
