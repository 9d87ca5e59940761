/** Fetches a JSON document; bounded in time and size, follows no redirect, trusts no address that egress does not allow. */
export type FetchJson = (url: URL) => Promise<unknown>;

/** An issuer's own metadata, by OIDC Discovery §4. The document must name the very issuer that was asked (§4.3). */
export async function discover(issuer: string, fetchJson: FetchJson): Promise<Readonly<Record<string, unknown>>> {
  const document = await fetchJson(secureUrl(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`));
  const metadata = (typeof document === "object" && document !== null ? document : {}) as Record<string, unknown>;
  if (metadata.issuer !== issuer) throw new Error("the discovery document names another issuer");
  return metadata;
}

/** Where an issuer's keys are. It may send us to `https` only; plain `http` is for an issuer on this machine. */
export async function discoverJwksUri(issuer: string, fetchJson: FetchJson): Promise<URL> {
  const { jwks_uri: jwksUri } = await discover(issuer, fetchJson);
  if (typeof jwksUri !== "string") throw new Error("the discovery document names no jwks_uri");
  return secureUrl(jwksUri);
}

/** A URL whose answers can be believed: `https`, or `http` to a loopback address. */
export function secureUrl(text: string): URL {
  const url = new URL(text);
  const loopback = url.hostname === "localhost" || url.hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && loopback)) throw new Error("an issuer is reached by https only");
  if (url.username !== "" || url.password !== "") throw new Error("an issuer's address holds no credentials");
  return url;
}

/** The key set of an issuer: discovery each time, so that an issuer may move its keys. */
export const jwksOf = (provider: { issuer: string; jwksUri?: string | undefined }, fetchJson: FetchJson) => async (): Promise<unknown> =>
  fetchJson(provider.jwksUri === undefined ? await discoverJwksUri(provider.issuer, fetchJson) : secureUrl(provider.jwksUri));
