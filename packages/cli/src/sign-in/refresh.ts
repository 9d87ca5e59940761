import * as openid from "openid-client";
import type { IssuerChoice } from "./issuer-choice.ts";
import { asking, discoverIssuer, type Grant, grantOf } from "./issuer-client.ts";

/** A fresh ID token without the person (OIDC Core §12). The issuer may give the next refresh token with it, and end this one. */
export async function refreshAt(choice: IssuerChoice, refreshToken: string): Promise<Grant> {
  const client = await discoverIssuer(choice);
  const grant = grantOf(await asking(choice.issuer, () => openid.refreshTokenGrant(client, refreshToken)));
  return { ...grant, refreshToken: grant.refreshToken ?? refreshToken };
}
