import { type Action, Refusal } from "@sallyport/contracts";
import { actionNamed } from "./action.ts";
import { type Ceiling, ceilingOf } from "./ceiling.ts";
import { actorOf, type Chain, chainOf, type LinkKind, principalOf } from "./chain.ts";
import { type Credential, type CredentialBinding, maxCredentialSeconds } from "./credential.ts";
import { isSeconds } from "./jws.ts";
import { providerOf } from "./name.ts";
import { isThumbprint } from "./thumbprint.ts";

type Json = Record<string, unknown>;

/**
 * A credential from its claims: every claim present, of its type, and in agreement with the others. `act` is never looked at.
 * @throws Refusal INVALID_REQUEST that says which claim is wrong
 */
export function credentialFrom(claims: Json): Credential {
  const links = objects(claims.chain, "chain");
  const chain = chainFrom(links, strings(claims.groups, "groups"));
  const sessionStarts = links.map((link) => seconds(link.iat, "chain"));
  const issuedAt = seconds(claims.iat, "iat");
  const expiresAt = seconds(claims.exp, "exp");
  agree(claims.sid === actorOf(chain).sid, "sid");
  agree(claims.client_id === actorOf(chain).id, "client_id");
  agree(claims.sub === principalOf(chain).id, "sub");
  agree(claims.provider === providerOf(principalOf(chain).id), "provider");
  agree(claims.auth_time === sessionStarts[0], "auth_time");
  const sessionEndsAt = seconds(claims.session_expiry, "session_expiry");
  agree(sessionEndsAt >= expiresAt, "session_expiry");
  agree(expiresAt > issuedAt && expiresAt - issuedAt <= maxCredentialSeconds, "exp");
  return Object.freeze({
    issuer: text(claims.iss, "iss"),
    audience: text(claims.aud, "aud"),
    id: text(claims.jti, "jti"),
    chain,
    sid: actorOf(chain).sid,
    sessionStarts: Object.freeze(sessionStarts),
    ceiling: ceilingFrom(objects(claims.authorization_details, "authorization_details")),
    binding: bindingFrom(claims.cnf),
    issuedAt,
    expiresAt,
    sessionEndsAt,
    notBefore: claims.nbf === undefined ? undefined : seconds(claims.nbf, "nbf"),
    epoch: seconds(claims.epoch, "epoch"),
    provider: claims.provider as string,
  });
}

const chainFrom = (links: Json[], groups: string[]): Chain =>
  chainOf(
    links.map((link) => ({
      id: text(link.id, "chain"),
      kind: text(link.kind, "chain") as LinkKind,
      sid: text(link.sid, "chain"),
      ...(link.owner === undefined ? {} : { owner: text(link.owner, "chain") }),
    })),
    groups,
  );

const members: ReadonlySet<string> = new Set(["type", "actions", "secrets", "targets"]);

const ceilingFrom = (details: Json[]): Ceiling =>
  ceilingOf(
    details.map((detail) => {
      // A member that nobody here reads may be what narrows it.
      agree(detail.type === "sallyport" && Object.keys(detail).every((name) => members.has(name)), "authorization_details");
      return {
        actions: strings(detail.actions, "authorization_details").map(actionFrom),
        secrets: strings(detail.secrets, "authorization_details"),
        targets: strings(detail.targets, "authorization_details"),
      };
    }),
  );

function actionFrom(name: string): Action {
  const action = actionNamed(name);
  if (action === undefined) throw wrong("authorization_details");
  return action;
}

function bindingFrom(cnf: unknown): CredentialBinding {
  const [[method, thumbprint] = [], ...others] = Object.entries(typeof cnf === "object" && cnf !== null ? cnf : {});
  if (others.length > 0 || !isThumbprint(thumbprint) || (method !== "jkt" && method !== "x5t#S256")) throw wrong("cnf");
  return Object.freeze({ kind: method === "jkt" ? "dpop" : "mtls", thumbprint });
}

function seconds(value: unknown, claim: string): number {
  if (!isSeconds(value)) throw wrong(claim);
  return value;
}

function text(value: unknown, claim: string): string {
  if (typeof value !== "string" || value === "") throw wrong(claim);
  return value;
}

function strings(value: unknown, claim: string): string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) throw wrong(claim);
  return value;
}

function objects(value: unknown, claim: string): Json[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "object" && item !== null && !Array.isArray(item)))
    throw wrong(claim);
  return value;
}

function agree(holds: boolean, claim: string): void {
  if (!holds) throw wrong(claim);
}

const wrong = (claim: string) =>
  new Refusal("INVALID_REQUEST", `The credential's \`${claim}\` is absent, of the wrong type, or contradicts its other claims.`);
