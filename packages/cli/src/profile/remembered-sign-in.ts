import type { IssuerChoice } from "../sign-in/issuer-choice.ts";

/** Where a profile's person signed in, to be signed in there again. */
export interface RememberedSignIn extends IssuerChoice {
  /** Only where the issuer gave one; whoever reads it can sign in as this person until the issuer ends it. */
  readonly refreshToken?: string | undefined;
}

/** What a profile's file holds; undefined where it holds none, or something else. */
export function parseSignIn(value: unknown): RememberedSignIn | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { issuer, clientId, scopes, refreshToken } = value as Record<string, unknown>;
  if (typeof issuer !== "string" || typeof clientId !== "string" || !Array.isArray(scopes)) return undefined;
  return { issuer, clientId, scopes: scopes.map(String), ...(typeof refreshToken === "string" ? { refreshToken } : {}) };
}
