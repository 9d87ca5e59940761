import type { EdgeRequest, EdgeResponse } from "@sallyport/service";
import { type SignInFront, signInMetadata } from "../sign-in/sign-in-front.ts";
import { schemaPath } from "./authorization-details-schema.ts";

/** Where the metadata of an issuer are: for one with a path, with that path behind (RFC 8414 §3.1). */
export const metadataPath = (audience: string): string =>
  `/.well-known/oauth-authorization-server${new URL(audience).pathname.replace(/\/+$/, "")}`;

/**
 * `GET` on {@link metadataPath} (RFC 8414 §2). The installation's audience is its issuer.
 * @param front undefined where nobody signs in at authn itself
 */
export const metadataDocument =
  (audience: string, front: SignInFront | undefined) =>
  async (_request: EdgeRequest): Promise<EdgeResponse> => {
    const base = audience.replace(/\/+$/, "");
    const { grant_types_supported: more = [], ...signIn } = front === undefined ? {} : signInMetadata(front, base);
    return cacheable({
      issuer: audience,
      token_endpoint: `${base}/oauth/token`,
      jwks_uri: `${base}/oauth/jwks`,
      introspection_endpoint: `${base}/oauth/introspect`,
      revocation_endpoint: `${base}/oauth/revoke`,
      grant_types_supported: ["urn:ietf:params:oauth:grant-type:token-exchange", ...more],
      response_types_supported: [],
      ...signIn,
      token_endpoint_auth_methods_supported: ["none"],
      // Whoever asks shows a credential of their own, with a proof.
      introspection_endpoint_auth_methods_supported: ["DPoP"],
      revocation_endpoint_auth_methods_supported: ["none"],
      authorization_details_types_supported: ["sallyport"],
      // Not of RFC 9396, which leaves to each type how it is described.
      authorization_details_schema: `${base}${schemaPath}`,
      dpop_signing_alg_values_supported: ["ES256", "EdDSA"],
      tls_client_certificate_bound_access_tokens: true,
    });
  };

/** `GET /oauth/jwks`: the keys that sign credentials (RFC 7517). */
export const jwksDocument =
  (jwks: () => string) =>
  async (_request: EdgeRequest): Promise<EdgeResponse> => {
    const known = jwks();
    if (known !== "") return cacheable(JSON.parse(known));
    return {
      status: 503,
      headers: { "content-type": "application/json", "retry-after": "1" },
      body: '{"error":"temporarily_unavailable"}',
    };
  };

const cacheable = (body: unknown): EdgeResponse => ({
  status: 200,
  headers: { "content-type": "application/json", "cache-control": "public, max-age=60" },
  body: JSON.stringify(body),
});
