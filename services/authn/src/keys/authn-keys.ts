import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "@sallyport/contracts";
import { parseSigningKeys, type SigningKeys, signerAt } from "@sallyport/identity";

/** What only authn holds. */
export interface AuthnKeys {
  /** Sign credentials, and derive the keys that seal authn's records in the shared state. */
  readonly signing: SigningKeys;
  /** The file that they were read from, and its text: they are rotated while authn runs. */
  readonly signingFile: { readonly path: string; readonly text: string };
  /** Issues agents' client certificates: a PEM key and certificate. */
  readonly agentsCa: { readonly keyPem: string; readonly certificatePem: string };
}

/** Reads authn's keys from the data folder. @throws Refusal INVALID_REQUEST that names the file which is missing or unusable */
export function readAuthnKeys(dataDir: string): AuthnKeys {
  const folder = join(dataDir, "keys");
  const jwkFile = join(folder, "credential.jwk");
  const text = read(jwkFile);
  return {
    signing: parse(text, jwkFile),
    signingFile: { path: jwkFile, text },
    agentsCa: readAgentsCa(folder),
  };
}

function parse(text: string, file: string): SigningKeys {
  try {
    const keys = parseSigningKeys(text);
    signerAt(keys, Date.now());
    return keys;
  } catch (cause) {
    throw new Refusal(
      "INVALID_REQUEST",
      `${file} cannot sign credentials: ${(cause as Error).message}. Restore it, or make new keys with \`sallyport init\`.`,
      { cause },
    );
  }
}

function readAgentsCa(folder: string): AuthnKeys["agentsCa"] {
  const [keyPem, certificatePem] = [read(join(folder, "agents-ca.key")), read(join(folder, "agents-ca.crt"))];
  try {
    if (new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem))) return { keyPem, certificatePem };
  } catch {
    // said below
  }
  throw new Refusal(
    "INVALID_REQUEST",
    `agents-ca.key and agents-ca.crt in ${folder} are no private key as PEM and its certificate: restore both from one place.`,
  );
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
