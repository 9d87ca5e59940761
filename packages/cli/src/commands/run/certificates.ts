import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";

/** Files that tell a tool whom to trust: the proxy's CA alone, and beside what the system trusts. Nothing in them is secret. */
export interface CertificateFiles {
  readonly alone: string;
  readonly bundle: string;
  remove(): void;
}

/** Where systems keep the certificates that all programs trust. */
const systemBundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/** @param env of the tool: a bundle that it names already is what is added to */
export function certificateFiles(ca: string, env: NodeJS.ProcessEnv): CertificateFiles {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-run-"));
  const alone = join(folder, "proxy-ca.pem");
  const bundle = join(folder, "bundle.pem");
  writeFileSync(alone, ca);
  writeFileSync(bundle, `${systemBundle(env)}\n${ca}`);
  return { alone, bundle, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function systemBundle(env: NodeJS.ProcessEnv): string {
  for (const path of [env.SSL_CERT_FILE, ...systemBundles]) {
    try {
      if (path !== undefined && path !== "") return readFileSync(path, "utf8");
    } catch {
      // The next place.
    }
  }
  return rootCertificates.join("\n");
}
