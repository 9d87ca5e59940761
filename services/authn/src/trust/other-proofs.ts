import type { SamlProviderConfig, X509ProviderConfig } from "@sallyport/service";
import type { configuredSignIn } from "../sign-in/configured-sign-in.ts";
import type { configuredSaml } from "./saml/configured-saml.ts";
import type { WorkloadCertificates } from "./x509/workload-certificates.ts";

/** SAML sign-ins, whose libraries are loaded only where somebody signs in so. */
export async function samlOf(
  configured: readonly SamlProviderConfig[],
  options: Parameters<typeof configuredSaml>[1],
): Promise<ReturnType<typeof configuredSaml> | undefined> {
  if (configured.length === 0) return undefined;
  return (await import("./saml/configured-saml.ts")).configuredSaml(configured, options);
}

/** Workloads' certificates, likewise. @param now epoch milliseconds */
export async function certificatesOf(
  configured: readonly X509ProviderConfig[],
  now: () => number,
): Promise<WorkloadCertificates | undefined> {
  if (configured.length === 0) return undefined;
  return (await import("./x509/configured-certificates.ts")).configuredCertificates(configured, now);
}

/** authn's own sign-in for people, likewise. */
export async function signInOf(...[config, parts]: Parameters<typeof configuredSignIn>): Promise<ReturnType<typeof configuredSignIn>> {
  if (config.authn.signIn === undefined) return undefined;
  return (await import("../sign-in/configured-sign-in.ts")).configuredSignIn(config, parts);
}
