import { readFile } from "node:fs/promises";
import type { OidcProvider } from "@sallyport/service";
import type { FetchJson } from "./discovery.ts";
import { issuerFetch } from "./fetch-json.ts";
import { type GroupRule, maxSkewSeconds, type Requirement, type TrustProvider } from "./trust-provider.ts";

/** The providers of the configuration, each with its own way out. */
export const configuredProviders = (configured: readonly OidcProvider[]): { provider: TrustProvider; fetchJson: FetchJson }[] =>
  configured.map((one) => ({ provider: providerOf(one), fetchJson: fetchFor(one) }));

export const providerOf = (one: OidcProvider): TrustProvider => ({
  name: one.name,
  issuer: one.issuer,
  audiences: one.audience,
  algorithms: one.algorithms,
  kind: one.kind,
  claims: {
    subject:
      "template" in one.subject && one.subject.template !== undefined
        ? { template: one.subject.template }
        : (one.subject as { claim: string }).claim,
    groups: one.groups as readonly GroupRule[],
    owner: one.owner?.claim,
    ownerProvider: one.owner?.provider,
  },
  require: one.require as Readonly<Record<string, Requirement>>,
  clients: one.clients,
  trustDomain: one.trustDomain,
  singleUse: one.singleUse,
  skewSeconds: maxSkewSeconds,
  keySeconds: one.keySeconds,
  jwksUri: one.keys === undefined ? undefined : isUrl(one.keys) ? one.keys : `https://file.invalid/`,
});

const isUrl = (text: string) => /^https?:/.test(text);

/** A file's keys are read again as those at a URL are: whoever replaces it withdraws a key. */
const fetchFor = ({ name, keys, network }: OidcProvider): FetchJson =>
  keys === undefined || isUrl(keys) ? issuerFetch(name, network) : async () => JSON.parse(await readFile(keys, "utf8"));
