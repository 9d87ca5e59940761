import { createPrivateKey, type KeyObject } from "node:crypto";
import { printable, Refusal } from "@sallyport/contracts";
import type { Egress } from "@sallyport/egress";
import type { Inject } from "@sallyport/service";
import { SignJWT } from "jose";
import { type Fields, fieldOf, unusable } from "../field-text.ts";
import type { Mint } from "./minted.ts";

/** Seconds: GitHub takes at most 600, and asks for a start in the past against clocks that differ. */
const jwtSeconds = 540;
const earlierSeconds = 60;

/** Fetches a GitHub App's installation tokens: a JWT signed by the app's key is exchanged for one that lives an hour. */
export function githubAppMint(
  target: string,
  settings: NonNullable<Inject["githubApp"]>,
  fields: Fields,
  egress: Pick<Egress, "fetch">,
  now: () => number,
): Mint {
  const key = privateKey(settings.privateKey, fields);
  const { repositories, permissions } = settings;
  return async () => {
    const mintedAt = now();
    const seconds = Math.floor(mintedAt / 1000);
    const jwt = await new SignJWT()
      .setProtectedHeader({ alg: "RS256", typ: "JWT" })
      .setIssuer(settings.appId)
      .setIssuedAt(seconds - earlierSeconds)
      .setExpirationTime(seconds + jwtSeconds)
      .sign(key);
    const answer = await egress.fetch(`${settings.apiUrl.replace(/\/$/, "")}/app/installations/${settings.installationId}/access_tokens`, {
      method: "POST",
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${jwt}`,
        "content-type": "application/json",
        "user-agent": "sallyport",
        "x-github-api-version": "2022-11-28",
      },
      body: JSON.stringify({ repositories, permissions }),
    });
    const { token, expires_at: expires } = answer.status === 201 ? parsed(answer.body) : {};
    const goodUntil = Date.parse(String(expires));
    if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token) || Number.isNaN(goodUntil))
      throw new Refusal(
        "TARGET_UNAVAILABLE",
        `GitHub gave no installation token for target "${printable(target)}" (status ${answer.status}); check the app, its key and its installation. Nothing was sent to the target.`,
        { metadata: { effect: "none" } },
      );
    return { token, mintedAt, goodUntil };
  };
}

function privateKey(field: string, fields: Fields): KeyObject {
  let key: KeyObject;
  try {
    // GitHub hands keys out as PKCS #1.
    key = createPrivateKey(fieldOf(fields, field));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw unusable(field, "is no private key in PEM");
  }
  if (key.asymmetricKeyType !== "rsa") throw unusable(field, "is no RSA key, which GitHub Apps sign with");
  return key;
}

function parsed(body: Buffer): { token?: unknown; expires_at?: unknown } {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return {};
  }
}
