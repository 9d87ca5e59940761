import { hash } from "node:crypto";

/** base64url SHA-256. */
export const sha256 = (data: string | Uint8Array): string => hash("sha256", data, "base64url");

/** Whether a text can be a SHA-256 in base64url: 43 characters, the last of which carries four bits. */
export const isThumbprint = (text: unknown): text is string =>
  typeof text === "string" && /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text);

/**
 * The JWK thumbprint (RFC 7638 §3, RFC 8037 §2): SHA-256 over the required members in lexicographic order. Only for keys
 * that `importPublicJwk` accepted.
 */
export function jwkThumbprint(jwk: Record<string, unknown>): string {
  const { crv, kty, x, y } = jwk;
  return sha256(JSON.stringify(kty === "EC" ? { crv, kty, x, y } : { crv, kty, x }));
}

/** The certificate thumbprint `x5t#S256` (RFC 8705 §3.1) of a DER certificate. */
export const certificateThumbprint = (der: Uint8Array): string => sha256(der);
