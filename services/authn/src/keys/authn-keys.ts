import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "@sallyport/contracts";
import { jwkThumbprint } from "@sallyport/identity";

/** What only authn holds. */
export interface AuthnKeys {
  /** Signs credentials. */
  readonly signer: { readonly key: KeyObject; readonly kid: string };
  /** The public half, as a JWK Set (RFC 7517). */
  readonly jwks: string;
  /** Derives the keys that seal authn's records in the shared state. */
  readonly stateSecret: Uint8Array;
  /** Issues agents' client certificates: a PEM key and certificate. */
  readonly agentsCa: { readonly keyPem: string; readonly certificatePem: string };
}

/** Reads authn's keys from the data folder. @throws Refusal INVALID_REQUEST that names the file which is missing or unusable */
export function readAuthnKeys(dataDir: string): AuthnKeys {
  const folder = join(dataDir, "keys");
  const jwkFile = join(folder, "credential.jwk");
  const { key, kid } = parseCredentialKey(read(jwkFile), jwkFile);
  const { d, kty, crv, x, y } = key.export({ format: "jwk" });
  return {
    signer: { key, kid },
    jwks: JSON.stringify({ keys: [{ kty, crv, x, y, kid, alg: "ES256", use: "sig" }] }),
    stateSecret: Buffer.from(d as string, "base64url"),
    agentsCa: { keyPem: read(join(folder, "agents-ca.key")), certificatePem: read(join(folder, "agents-ca.crt")) },
  };
}

function parseCredentialKey(text: string, file: string): { key: KeyObject; kid: string } {
  try {
    const jwk = JSON.parse(text) as Record<string, unknown>;
    const key = createPrivateKey({ key: jwk, format: "jwk" } as never);
    if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new Error("not a P-256 key");
    return { key, kid: typeof jwk.kid === "string" && jwk.kid !== "" ? jwk.kid : jwkThumbprint(jwk) };
  } catch (cause) {
    // The parser's words could quote the key, so they go no further than the log's cause.
    throw new Refusal(
      "INVALID_REQUEST",
      `${file} holds no private P-256 key as a JWK: restore it, or make new keys with \`sallyport init\`.`,
      { cause },
    );
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new Refusal(
      "INVALID_REQUEST",
      `${file} ${missing ? "is missing: make it with `sallyport init`" : "cannot be read: check who owns it"}.`,
      { cause },
    );
  }
}
