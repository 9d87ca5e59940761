import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { chmod, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { keysFolder } from "./key-files.ts";
import { roles, spiffeIdOf } from "./spiffe.ts";

export interface InitOptions {
  readonly dataDir: string;
  readonly trustDomain: string;
  /** Host names and addresses beyond this machine's own that agents reach the doors by. */
  readonly names?: readonly string[];
}

/**
 * Makes every key of an installation that is not there yet, each readable by its owner only. An existing key is never
 * replaced. Certificates are made together with their authority's key, or not at all.
 *
 * @returns the names of the files made
 */
export async function initKeys({ dataDir, trustDomain, names = [] }: InitOptions): Promise<string[]> {
  // X.509 and JOSE are heavy, and only this first run of an installation needs them.
  const { certificatePem, issueAuthority, issueLeaf, privateKeyPem } = await import("./issue.ts");
  const folder = keysFolder(dataDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const made: string[] = [];
  const keep = async (name: string, content: string | Uint8Array) => {
    if (await writeNew(join(folder, name), content)) made.push(name);
  };

  const services = await issueAuthority(`Sallyport services of ${trustDomain}`);
  if (await writeNew(join(folder, "services-ca.key"), await privateKeyPem(services))) {
    made.push("services-ca.key");
    await keep("services-ca.crt", certificatePem(services));
    for (const role of roles) {
      const names = [{ type: "url", value: spiffeIdOf(trustDomain, role) } as const, { type: "dns", value: role } as const];
      const leaf = await issueLeaf(services, { name: role, names, purposes: ["server", "client"] });
      await keep(`${role}.key`, await privateKeyPem(leaf));
      await keep(`${role}.crt`, certificatePem(leaf));
    }
    const listener = await issueLeaf(services, { name: "sallyport", names: listenerNames(names), purposes: ["server"] });
    await keep("listener.key", await privateKeyPem(listener));
    await keep("listener.crt", certificatePem(listener));
  }
  const agents = await issueAuthority(`Sallyport agents of ${trustDomain}`);
  if (await writeNew(join(folder, "agents-ca.key"), await privateKeyPem(agents))) {
    made.push("agents-ca.key");
    await keep("agents-ca.crt", certificatePem(agents));
  }
  // The key alone: its certificate names the hosts of the targets, so brokers issue it from the configuration that they serve.
  await keep("proxy-ca.key", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }));
  await keep("credential.jwk", await credentialJwk());
  await keep("checkpoint.key", generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
  const checkpoint = createPublicKey(await readFile(join(folder, "checkpoint.key")));
  await keep("checkpoint.pub", checkpoint.export({ type: "spki", format: "pem" }));
  await keep("file-store.key", `${randomBytes(32).toString("base64url")}\n`);
  await keep("broker-group.key", randomBytes(32));
  return made;
}

const listenerNames = (names: readonly string[]) =>
  ["localhost", "127.0.0.1", "::1", ...names].map((value) => ({
    type: /^[\d.]+$|:/.test(value) ? ("ip" as const) : ("dns" as const),
    value,
  }));

/** The key that signs credentials; its id is its thumbprint (RFC 7638). */
async function credentialJwk(): Promise<string> {
  const { calculateJwkThumbprint, exportJWK, generateKeyPair } = await import("jose");
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return `${JSON.stringify({ ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "ES256", use: "sig" })}\n`;
}

/** Whole or not at all, and never over another file. */
async function writeNew(path: string, content: string | Uint8Array): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, content, { mode: 0o600, flag: "wx", flush: true });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
