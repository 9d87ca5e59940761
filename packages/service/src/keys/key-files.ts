import { createPublicKey } from "node:crypto";
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
  throw new StartError(
    `The key file ${join(keysFolder(dataDir), name)} holds no Ed25519 public key as PEM; copy it from where sallyport init made it.`,
  );
}
