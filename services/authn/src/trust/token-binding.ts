import { Refusal } from "@sallyport/contracts";
import type { State } from "@sallyport/state";
import type { OutsideIdentity } from "./trust-provider.ts";

const collection = "outside-tokens";

/**
 * Ties an outside token to the key that shows it first. Another key is refused from then on; the same key too, where the
 * provider's tokens are for single use. Kept in shared state until the token has expired, so it holds for every replica.
 */
export async function bindToken(state: State, identity: OutsideIdentity, thumbprint: string, now: number): Promise<void> {
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
