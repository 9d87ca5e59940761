import { randomBytes } from "node:crypto";
import { actionName } from "./action.ts";
import type { Ceiling } from "./ceiling.ts";
import { actorOf, type Chain, type LinkKind, principalOf } from "./chain.ts";
import type { CredentialBinding } from "./credential.ts";
import { providerOf } from "./name.ts";
import { credentialFrom } from "./parse-claims.ts";

/** What authn decides when it issues one. */
export interface CredentialFacts {
  readonly issuer: string;
  readonly audience: string;
  readonly chain: Chain;
  /** When each link's session began, epoch seconds rounded down, in the chain's order. */
  readonly sessionStarts: readonly number[];
  readonly ceiling: Ceiling;
  readonly binding: CredentialBinding;
  /** Epoch seconds, rounded down. */
  readonly issuedAt: number;
  /** Epoch seconds; at most 600 after `issuedAt`. */
  readonly expiresAt: number;
  /** When the session ends by itself, epoch seconds; not before `expiresAt`. */
  readonly sessionEndsAt: number;
  readonly epoch: number;
}

/** The claims of a credential (RFC 9068 profile), as they stand in the JWT. */
export interface CredentialClaims {
  iss: string;
  aud: string;
  sub: string;
  client_id: string;
  groups: string[];
  sid: string;
  jti: string;
  iat: number;
  exp: number;
  auth_time: number;
  /** OpenID Connect Enterprise Extensions. */
  session_expiry: number;
  epoch: number;
  provider: string;
  cnf: { jkt: string } | { "x5t#S256": string };
  authorization_details: { type: "sallyport"; actions: string[]; secrets: string[]; targets: string[] }[];
  chain: { id: string; kind: LinkKind; sid: string; iat: number; owner?: string }[];
  act?: Actor;
}

interface Actor {
  sub: string;
  act?: Actor;
}

/** The claims of a new credential. @throws Refusal INVALID_REQUEST where they contradict each other */
export function credentialClaims(facts: CredentialFacts): CredentialClaims {
  const { chain } = facts;
  const act = actorClaim(chain);
  const claims: CredentialClaims = {
    iss: facts.issuer,
    aud: facts.audience,
    sub: principalOf(chain).id,
    client_id: actorOf(chain).id,
    groups: [...chain.groups],
    sid: actorOf(chain).sid,
    jti: randomBytes(16).toString("base64url"),
    iat: facts.issuedAt,
    exp: facts.expiresAt,
    auth_time: facts.sessionStarts[0] as number,
    session_expiry: facts.sessionEndsAt,
    epoch: facts.epoch,
    provider: providerOf(principalOf(chain).id),
    cnf: facts.binding.kind === "dpop" ? { jkt: facts.binding.thumbprint } : { "x5t#S256": facts.binding.thumbprint },
    authorization_details: facts.ceiling.entries.map(({ actions, secrets, targets }) => ({
      type: "sallyport",
      actions: actions.map((action) => actionName(action) as string),
      secrets: [...secrets],
      targets: [...targets],
    })),
    chain: chain.links.map((link, index) => ({ ...link, iat: facts.sessionStarts[index] as number })),
    ...(act === undefined ? {} : { act }),
  };
  // What cannot be read back must not go out: the reader's rules are the writer's.
  credentialFrom({ ...claims });
  return claims;
}

/**
 * RFC 8693 §4.1, outermost = the current actor. For other readers only: §4.1 says that nested actors are not to be
 * considered in access control, so nothing here ever reads it.
 */
function actorClaim(chain: Chain): Actor | undefined {
  return chain.links
    .slice(1)
    .reduce<Actor | undefined>((inner, link) => (inner === undefined ? { sub: link.id } : { sub: link.id, act: inner }), undefined);
}
