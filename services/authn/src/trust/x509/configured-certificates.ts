import { readFileSync, statSync } from "node:fs";
import { Refusal } from "@sallyport/contracts";
import type { X509ProviderConfig } from "@sallyport/service";
import { type ChainCertificate, readCertificates } from "./certificate-chain.ts";
import { type CertificateProvider, WorkloadCertificates } from "./workload-certificates.ts";

/** The authorities of the configuration. @param now epoch milliseconds @throws Refusal INVALID_REQUEST where a bundle cannot be used */
export function configuredCertificates(configured: readonly X509ProviderConfig[], now: () => number): WorkloadCertificates {
  return new WorkloadCertificates(configured.map(providerOf), now);
}

function providerOf({ name, kind, trustDomain, subject, allow, bundle: file }: X509ProviderConfig): CertificateProvider {
  const bundle = new BundleFile(file, `trust.x509.${name}.bundle`);
  bundle.read();
  return {
    name,
    kind,
    subject: trustDomain === undefined ? { name: subject as "uri" | "dns" } : { trustDomain },
    allow,
    bundle: async () => bundle.read(),
  };
}

/** A trust bundle that somebody else writes, such as SPIRE's helper: what is in it counts from the next sign-in on. */
class BundleFile {
  readonly #file: string;
  readonly #setting: string;
  #known: { readonly changed: number; readonly size: number; readonly certificates: readonly ChainCertificate[] } | undefined;

  constructor(file: string, setting: string) {
    this.#file = file;
    this.#setting = setting;
  }

  /** A file that is gone, or half written, refuses: an authority that was taken out must not come back by a broken file. */
  read(): readonly ChainCertificate[] {
    try {
      const { mtimeMs: changed, size } = statSync(this.#file);
      if (this.#known?.changed === changed && this.#known.size === size) return this.#known.certificates;
      const certificates = readCertificates(readFileSync(this.#file, "utf8"));
      this.#known = { changed, size, certificates };
      return certificates;
    } catch (cause) {
      const reason = this.#known === undefined ? "INVALID_REQUEST" : "TARGET_UNAVAILABLE";
      throw new Refusal(reason, `${this.#setting}: the trust bundle cannot be read: have its file checked.`, { cause });
    }
  }
}
