import { Egress } from "@sallyport/egress";
import { type Config, type OidcProvider, resolveReference } from "@sallyport/service";
import type { State } from "@sallyport/state";
import type { Times } from "../sessions/live-second.ts";
import { discover } from "../trust/discovery.ts";
import { issuerFetch } from "../trust/fetch-json.ts";
import type { SamlSignIn } from "../trust/saml/saml-sign-in.ts";
import type { SignInCodes } from "../trust/saml/sign-in-codes.ts";
import { frontPort } from "../trust/saml/sign-in-request.ts";
import { bindToken } from "../trust/token-binding.ts";
import type { TrustProviders } from "../trust/trust-providers.ts";
import { AddressLimits } from "./address-limits.ts";
import { AuthorizationCodes } from "./authorization-codes.ts";
import { Browsers } from "./browsers.ts";
import { Clients } from "./clients.ts";
import { DeviceCodes } from "./device-codes.ts";
import { OidcSignIn } from "./oidc-sign-in.ts";
import { SamlFrontSignIn } from "./saml-front-sign-in.ts";
import { SignInAttempts } from "./sign-in-attempts.ts";
import type { SignInFront } from "./sign-in-front.ts";
import { callbackPath, type SignInProvider } from "./sign-in-provider.ts";

export interface SignInParts extends Times {
  readonly audience: string;
  /** SAML's own sign-ins, and the codes that they end with. */
  readonly saml: { readonly signIns: readonly SamlSignIn[]; readonly codes: SignInCodes } | undefined;
  readonly state: State;
  readonly secret: Uint8Array;
  readonly clock: { now(): number; monotonic(): number };
  readonly tokens: Pick<TrustProviders, "verify">;
}

/** The front of the configuration; undefined where it has none. @throws Refusal INVALID_REQUEST where a client's secret cannot be had */
export function configuredSignIn({ trust, authn }: Pick<Config, "trust" | "authn">, parts: SignInParts): SignInFront | undefined {
  const { signIn } = authn;
  if (signIn === undefined) return undefined;
  const { state, secret, clock, audience } = parts;
  const providers: SignInProvider[] = [
    ...trust.oidc.flatMap((provider) => oidcSignIn(provider, signIn.url, parts) ?? []),
    ...(parts.saml?.signIns ?? []).flatMap((saml) => samlSignIn(saml, parts) ?? []),
  ];
  return {
    url: signIn.url,
    providers: new Map(providers.map((provider) => [provider.name, provider])),
    devices: new DeviceCodes(state, secret, clock),
    clients: new Clients(signIn.clients),
    codes: new AuthorizationCodes(state, secret, clock),
    audience,
    attempts: new SignInAttempts(state, secret),
    browsers: new Browsers(signIn.url, secret),
    limits: new AddressLimits(state, clock),
  };
}

function oidcSignIn({ name, issuer, algorithms, network, signIn }: OidcProvider, url: string, { tokens, clock }: SignInParts) {
  if (signIn === undefined) return undefined;
  const fetchJson = issuerFetch(name, network);
  return new OidcSignIn({
    name,
    issuer,
    algorithms,
    clientId: signIn.clientId,
    clientSecret: resolveReference(signIn.clientSecret, `trust.oidc.${name}.signIn.clientSecret`),
    scopes: signIn.scopes,
    redirectUri: `${url}${callbackPath(name)}`,
    discover: () => discover(issuer, fetchJson),
    egress: new Egress({ allow: network, setting: `trust.oidc.${name}.network` }),
    tokens,
    clock,
  });
}

function samlSignIn(saml: SamlSignIn, { saml: all, state, clock, epoch, audience }: SignInParts) {
  if (!saml.provider.spInitiated || all === undefined) return undefined;
  return new SamlFrontSignIn({
    name: saml.provider.name,
    begin: (waiting) => saml.begin({ ...waiting, port: frontPort }),
    identity: (code, thumbprint) => all.codes.identity(code, thumbprint, clock.now()),
    spend: (identity, thumbprint) => bindToken(state, identity, thumbprint, { clock, epoch }),
    audience,
  });
}
