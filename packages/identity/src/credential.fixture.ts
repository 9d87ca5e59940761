import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { Action } from "@sallyport/contracts";
import { SignJWT } from "jose";
import { ceilingOf } from "./ceiling.ts";
import { type Chain, chainOf, childChain } from "./chain.ts";
import { type CredentialClaims, type CredentialFacts, credentialClaims } from "./credential-claims.ts";
import { CredentialKeys } from "./credential-keys.ts";
import { newSessionId } from "./session-id.ts";
import { sha256 } from "./thumbprint.ts";

/** Epoch seconds at which the specs of this package play. */
export const issued = 1_700_000_000;

export const issuer = "https://sallyport.example";
export const audience = "https://example.internal";

/** alice → release → deploy. */
export function deployChain(): Chain {
  const alice = chainOf([{ id: "corp/alice", kind: "person", sid: newSessionId() }], ["corp/release-team"]);
  return childChain(childChain(alice, "release", newSessionId()), "deploy", newSessionId());
}

export const someFacts = (changes: Partial<CredentialFacts> = {}): CredentialFacts => ({
  issuer,
  audience,
  chain: deployChain(),
  sessionStarts: [issued - 30, issued - 20, issued - 10],
  ceiling: ceilingOf([{ actions: [Action.USE, Action.READ], secrets: ["prod/orders/*"], targets: ["orders-api"] }]),
  binding: { kind: "dpop", thumbprint: sha256("a key") },
  issuedAt: issued,
  expiresAt: issued + 600,
  sessionEndsAt: issued + 3600,
  epoch: 3,
  ...changes,
});

export const someClaims = (changes: Record<string, unknown> = {}): CredentialClaims =>
  ({ ...credentialClaims(someFacts()), ...changes }) as unknown as CredentialClaims;

/** An authn's key, and the key set that publishes it. */
export function authnKey(kid = "key-1"): { key: KeyObject; publicKey: KeyObject; kid: string; jwks: string; keys: CredentialKeys } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" }] });
  return { key: privateKey, publicKey, kid, jwks, keys: CredentialKeys.parse(jwks) };
}

/** A JWT with any header and any claims, signed like a credential. */
export const signedAnyhow = (key: KeyObject, claims: object, header: Record<string, unknown> = {}): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: "key-1", ...header }).sign(key);
