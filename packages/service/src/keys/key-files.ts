import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileProblem, StartError } from "../process/start-error.ts";

/** The folder of an installation's keys. */
export const keysFolder = (dataDir: string): string => join(dataDir, "keys");

/**
 * A key or certificate of the installation.
 *
 * @param name of the file in `<dataDir>/keys`, such as `broker.key`
 * @throws StartError that says what to do
 */
export function readKey(dataDir: string, name: string): Buffer {
  const path = join(keysFolder(dataDir), name);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const problem = fileProblem(cause) ?? `${path} cannot be read`;
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new StartError(
      `The key file ${problem}; ${missing ? "run sallyport init once, and give each service its files from there" : "give it to the user that runs Sallyport"}.`,
      {
        cause,
      },
    );
  }
  if (bytes.length === 0) throw new StartError(`The key file ${path} is empty; restore it from where sallyport init made it.`);
  return bytes;
}

/**
 * A certificate authority of the installation, PEM.
 *
 * @throws StartError that says what to do: where TLS finds no certificate in the file, it trusts nobody and does not say why
 */
export function readAuthority(dataDir: string, name: "services-ca.crt" | "agents-ca.crt"): Buffer {
  const pem = readKey(dataDir, name);
  try {
    new X509Certificate(pem);
    return pem;
  } catch {
    throw unusable(dataDir, name, "no certificate as PEM");
  }
}

/** The key that brokers share: exactly 32 bytes. @throws StartError that says what to do */
export function brokerGroupKey(dataDir: string): Buffer {
  const bytes = readKey(dataDir, "broker-group.key");
  if (bytes.length !== 32) throw unusable(dataDir, "broker-group.key", "something else than 32 bytes");
  return bytes;
}

/** The key that signs checkpoints: Ed25519. @throws StartError that says what to do */
export function checkpointPrivateKey(dataDir: string): KeyObject {
  const pem = readKey(dataDir, "checkpoint.key");
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // said below
  }
  throw unusable(dataDir, "checkpoint.key", "no Ed25519 private key as PEM");
}

/** The key of the CA that speaks for targets' hosts to tools: P-256. @throws StartError that says what to do */
export function proxyAuthorityKey(dataDir: string): KeyObject {
  const pem = readKey(dataDir, "proxy-ca.key");
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  } catch {
    // said below
  }
  throw unusable(dataDir, "proxy-ca.key", "no P-256 private key as PEM");
}

/**
 * The key that proves the audit service's checkpoints: raw Ed25519 (RFC 8032 §5.1.5).
 *
 * @throws StartError that says what to do
 */
export function checkpointPublicKey(dataDir: string): Buffer {
  const name = "checkpoint.pub";
  const pem = readKey(dataDir, name);
  try {
    const { kty, crv, x } = createPublicKey(pem).export({ format: "jwk" });
    if (kty === "OKP" && crv === "Ed25519" && x !== undefined) return Buffer.from(x, "base64url");
  } catch {
    // said below
  }
  throw unusable(dataDir, name, "no Ed25519 public key as PEM");
}

const unusable = (dataDir: string, name: string, holds: string) =>
  new StartError(`The key file ${join(keysFolder(dataDir), name)} holds ${holds}; copy it from where sallyport init made it.`);
