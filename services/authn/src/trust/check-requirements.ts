import { claimAt } from "./claim-path.ts";
import { type Claims, refused } from "./outside-token.ts";
import type { Requirement, TrustProvider } from "./trust-provider.ts";

/** What a provider requires beyond the standard: each claim by its own value, and whom the token was given to. A claim that is absent is not what is required. */
export function checkRequirements(claims: Claims, { require = {}, clients }: TrustProvider): void {
  for (const [path, wanted] of Object.entries(require)) {
    if (!isMet(claimAt(claims, path), wanted)) throw refused(`its \`${path}\` claim is not what its provider requires here`);
  }
  // OIDC Core §2 `azp`; RFC 9068 §2.2 `client_id`; Entra ID's version 1 has `appid`.
  const given = [claims.azp, claims.client_id, claims.appid].filter((one) => one !== undefined);
  if (clients !== undefined && (given.length === 0 || !given.every((one) => typeof one === "string" && clients.includes(one))))
    throw refused("it was given to a client that is not among its provider's here");
}

/** Of a claim with several values, each must be one that is wanted: one that is not may be what was meant. */
function isMet(value: unknown, wanted: Requirement): boolean {
  const values = Array.isArray(value) ? value : [value];
  return values.length > 0 && values.every((one) => accepts(wanted, one));
}

function accepts(wanted: Requirement, value: unknown): boolean {
  if (typeof wanted !== "object") return value === wanted;
  if (Array.isArray(wanted)) return wanted.includes(value as string);
  return (
    typeof value === "string" && [(wanted as { like: string | readonly string[] }).like].flat().some((pattern) => isLike(value, pattern))
  );
}

/** `*`: one or more characters of one segment; `**`: of any. Segments end at `/` and `:`; all else stands for itself. */
export function isLike(text: string, pattern: string): boolean {
  const parts = pattern
    .split(/(\*\*|\*)/)
    .map((part) => (part === "**" ? "[^]+" : part === "*" ? "[^/:]+" : part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")));
  return text.length <= 1000 && new RegExp(`^${parts.join("")}$`, "u").test(text);
}
