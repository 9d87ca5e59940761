import { setTimeout as delay } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import type { State } from "@sallyport/state";
import type { Times } from "../sessions/live-second.ts";
import type { OutsideIdentity } from "./trust-provider.ts";

const collection = "outside-tokens";

/** How far an issuer of tokens for single use may be ahead of this clock, milliseconds: that long their exchange waits. */
const maxAheadMs = 2_000;

/**
 * Ties an outside token to the key that shows it first. Another key is refused from then on; the same key too, where the
 * provider's tokens are for single use. Kept in shared state until the token has expired, so it holds for every replica.
 *
 * A token for single use that may have been used before the state was lost is refused: one that is no younger than the state's
 * epoch, which is when it began. So that a token's time says whether it is, none is taken before that time has come here.
 * @throws Refusal UNAUTHENTICATED, STATE_UNAVAILABLE
 */
export async function bindToken(state: State, identity: OutsideIdentity, thumbprint: string, { clock, epoch }: Times): Promise<void> {
  const { provider, tokenId, expiresAt, issuedAt } = identity;
  const began = epoch();
  if (provider.singleUse && issuedAt !== undefined) {
    // Times in tokens are whole seconds, rounded down: one of the epoch's own second may be older than it.
    if (issuedAt <= Math.floor(began / 1000)) throw olderThanState();
    await untilIssued(issuedAt, clock);
  }
  const ttlMs = Math.max(1000, (expiresAt + provider.skewSeconds + 1) * 1000 - clock.now());
  const first = await state.create(collection, tokenId, JSON.stringify(thumbprint), { ttlMs });
  // What was written into a state that began only now says nothing of the one before it.
  if (epoch() !== began) throw replaced();
  if (first) return;
  if (provider.singleUse) {
    throw new Refusal(
      "UNAUTHENTICATED",
      "The subject token was used already, and its issuer's tokens sign in once: get a new one from its issuer.",
    );
  }
  const bound = await state.get(collection, tokenId);
  if (bound === undefined || JSON.parse(bound.value) !== thumbprint) {
    throw new Refusal(
      "UNAUTHENTICATED",
      "The subject token was shown first with another key and stays with it: get a new one from its issuer.",
    );
  }
}

async function untilIssued(issuedAt: number, clock: { now(): number }): Promise<void> {
  const aheadMs = issuedAt * 1000 - clock.now();
  if (aheadMs > maxAheadMs) {
    throw new Refusal(
      "UNAUTHENTICATED",
      "The subject token is for single use and was issued in the future: its issuer's clock and this one differ. Set them right, and get a new one.",
    );
  }
  if (aheadMs > 0) await delay(aheadMs);
}

const olderThanState = () =>
  new Refusal(
    "UNAUTHENTICATED",
    "The subject token is older than Sallyport's state, which no longer knows whether it was used: get a new one from its issuer.",
  );

const replaced = () =>
  new Refusal("STATE_UNAVAILABLE", "The shared state was replaced at this moment: get a new token from its issuer, and try again.", {
    retryAfterMs: 1_000,
  });
