/**
 * The signature algorithms that an outside token may have (RFC 7518 §3.1, RFC 8037, RFC 9864), and the kind of key that each
 * needs. There is no symmetric one and no `none`: a public key must never be readable as a shared secret.
 */
const keyForms: Readonly<Record<string, { kty: string; crv?: string }>> = {
  RS256: { kty: "RSA" },
  RS384: { kty: "RSA" },
  RS512: { kty: "RSA" },
  PS256: { kty: "RSA" },
  PS384: { kty: "RSA" },
  PS512: { kty: "RSA" },
  ES256: { kty: "EC", crv: "P-256" },
  ES384: { kty: "EC", crv: "P-384" },
  ES512: { kty: "EC", crv: "P-521" },
  EdDSA: { kty: "OKP", crv: "Ed25519" },
  Ed25519: { kty: "OKP", crv: "Ed25519" },
};

/** Whether an algorithm may stand in a provider's `algorithms`. */
export const isAsymmetric = (algorithm: string): boolean => Object.hasOwn(keyForms, algorithm);

/** Whether a published key may check signatures of this algorithm: kind, curve, `alg` and `use` all agree (RFC 7517 §4). */
export function fits(key: Readonly<Record<string, unknown>>, algorithm: string): boolean {
  if (!isAsymmetric(algorithm)) return false;
  const form = keyForms[algorithm] as { kty: string; crv?: string };
  return (
    key.kty === form.kty &&
    (form.crv === undefined || key.crv === form.crv) &&
    (key.alg === undefined || key.alg === algorithm) &&
    // SPIFFE bundles call it by the kind of document that it signs (SPIFFE Trust Domain and Bundle §4.2).
    (key.use === undefined || key.use === "sig" || key.use === "jwt-svid") &&
    (key.key_ops === undefined || (Array.isArray(key.key_ops) && key.key_ops.includes("verify")))
  );
}
