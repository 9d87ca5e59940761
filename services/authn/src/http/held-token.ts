import { type Credential, verifyCredential } from "@sallyport/identity";
import type { TrustFeed } from "@sallyport/service";

/** What a credential that somebody hands in says; undefined where it is not one of ours, or dead for whatever reason. */
export function readHeldToken(token: string, feed: TrustFeed, audience: string, now: number): Credential | undefined {
  if (feed.jwks === undefined) return undefined;
  const verification = verifyCredential(token, { keys: feed.jwks, issuer: audience, audience, now });
  if (verification.kind === "refused") return undefined;
  const { credential } = verification;
  return credential.epoch === feed.epoch && feed.revocations.revokes(credential) === undefined ? credential : undefined;
}
