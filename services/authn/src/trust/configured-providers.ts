import type { OidcProvider } from "@sallyport/service";
import type { FetchJson } from "./discovery.ts";
import { issuerFetch } from "./fetch-json.ts";
import { maxSkewSeconds, type TrustProvider } from "./trust-provider.ts";

/** The providers of the configuration, each with its own way out. */
export const configuredProviders = (configured: readonly OidcProvider[]): { provider: TrustProvider; fetchJson: FetchJson }[] =>
  configured.map(({ name, issuer, audience, algorithms, kind, subject, groups, owner, singleUse, keySeconds, network }) => ({
    provider: {
      name,
      issuer,
      audiences: [audience].flat(),
      algorithms,
      kind,
      claims: { subject: subject.claim, groups: groups?.claim, owner: owner?.claim, ownerProvider: owner?.provider },
      singleUse,
      keySeconds,
      skewSeconds: maxSkewSeconds,
    },
    fetchJson: issuerFetch(name, network),
  }));
