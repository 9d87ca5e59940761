import { Refusal } from "@sallyport/contracts";
import type { State } from "@sallyport/state";
import type { OutsideIdentity } from "./trust-provider.ts";

const collection = "outside-tokens";

/**
 * Ties an outside token to the key that shows it first. Another key is refused from then on; the same key too, where the
 * provider's tokens are for single use. Kept in shared state until the token has expired, so it holds for every replica.
 * @param epoch of the state, which is when it began: a token for single use that is older may have been used before the state
 * was lost
 */
export async function bindToken(state: State, identity: OutsideIdentity, thumbprint: string, now: number, epoch: number): Promise<void> {
  if (identity.provider.singleUse && identity.issuedAt !== undefined && identity.issuedAt < Math.floor(epoch / 1000)) {
    throw new Refusal(
      "UNAUTHENTICATED",
      "The subject token is older than Sallyport's state, which no longer knows whether it was used: get a new one from its issuer.",
    );
  }
  const ttlMs = Math.max(1000, (identity.expiresAt + identity.provider.skewSeconds + 1) * 1000 - now);
  if (await state.create(collection, identity.tokenId, JSON.stringify(thumbprint), { ttlMs })) return;
  if (identity.provider.singleUse) {
    throw new Refusal(
      "UNAUTHENTICATED",
      "The subject token was used already, and its issuer's tokens sign in once: get a new one from its issuer.",
    );
  }
  const bound = await state.get(collection, identity.tokenId);
  if (bound === undefined || JSON.parse(bound.value) !== thumbprint) {
    throw new Refusal(
      "UNAUTHENTICATED",
      "The subject token was shown first with another key and stays with it: get a new one from its issuer.",
    );
  }
}
