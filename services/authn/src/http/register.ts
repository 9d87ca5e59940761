import type { EdgeListener, Gate, TrustFeed } from "@sallyport/service";
import type { Evidence } from "../evidence/evidence.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { RevocationLog } from "../revocation/revocation-log.ts";
import type { Revocations } from "../revocation/revocations.ts";
import type { Renewal } from "../sessions/renewal.ts";
import { registerSignIn, type SignInFront } from "../sign-in/sign-in-front.ts";
import { schemaDocument, schemaPath } from "./authorization-details-schema.ts";
import { introspectionEndpoint } from "./introspection-endpoint.ts";
import { jwksDocument, metadataDocument, metadataPath } from "./metadata.ts";
import { revocationEndpoint } from "./revocation-endpoint.ts";
import { tokenEndpoint } from "./token-endpoint.ts";

export interface OAuthOptions {
  readonly gate: Gate;
  readonly feed: TrustFeed;
  readonly exchange: Exchange;
  readonly renewal: Renewal;
  readonly revocations: Revocations;
  readonly revocationLog: RevocationLog;
  readonly evidence: Evidence;
  readonly audience: string;
  readonly jwks: () => string;
  readonly clock: { now(): number };
  /** Undefined where nobody signs in at authn itself. */
  readonly front: SignInFront | undefined;
}

/** What authn says in plain OAuth, over HTTP. */
export function registerOAuth(
  edge: EdgeListener,
  { gate, feed, exchange, renewal, revocations, evidence, revocationLog, audience, jwks, clock, front }: OAuthOptions,
): void {
  const now = () => clock.now();
  edge
    .route("GET", metadataPath(audience), metadataDocument(audience, front))
    .route("GET", "/oauth/jwks", jwksDocument(jwks))
    .route("GET", schemaPath, schemaDocument)
    .route("POST", "/oauth/token", tokenEndpoint({ gate, exchange, renewal, evidence, revocationLog, audience, clock, front }))
    .route("POST", "/oauth/introspect", introspectionEndpoint(gate, feed, evidence, audience, now))
    .route("POST", "/oauth/revoke", revocationEndpoint(gate, feed, revocations, evidence, audience, now));
  if (front !== undefined) registerSignIn(edge, { front, gate, evidence });
}
