import * as openid from "openid-client";
import type { IssuerChoice } from "./issuer-choice.ts";
import { asking, discoverIssuer, type Grant, grantOf } from "./issuer-client.ts";

/** Ends a refresh token at its issuer (RFC 7009), where that can be done there. @throws Refusal where the issuer does not answer, or refuses */
export async function endRefreshToken(choice: IssuerChoice, refreshToken: string): Promise<boolean> {
  const client = await discoverIssuer(choice);
  if (client.serverMetadata().revocation_endpoint === undefined) return false;
  await asking(choice.issuer, () => openid.tokenRevocation(client, refreshToken, { token_type_hint: "refresh_token" }));
  return true;
}

/** A fresh ID token without the person (OIDC Core §12). The issuer may give the next refresh token with it, and end this one. */
export async function refreshAt(choice: IssuerChoice, refreshToken: string): Promise<Grant> {
  const client = await discoverIssuer(choice);
  const grant = grantOf(await asking(choice.issuer, () => openid.refreshTokenGrant(client, refreshToken)));
  return { ...grant, refreshToken: grant.refreshToken ?? refreshToken };
}
