import { Refusal } from "@sallyport/contracts";

/** How stores refuse. No sentence holds anything that a store said. */
export const refusals = {
  /** No such secret, no such version, or none for the broker: one answer for all. */
  notGiven: (store: string, cause?: unknown) =>
    unavailable(
      `Store ${store} has no such value for the broker: none was written there yet, or the broker's role may not have it.`,
      cause,
    ),

  failed: (store: string, what: string, cause?: unknown) =>
    unavailable(`Store ${store} ${what}; nothing was done. Try again, or tell the operator.`, cause, 1000),

  maybeWritten: (store: string, what: string, cause?: unknown) =>
    new Refusal("STORE_UNAVAILABLE", `Store ${store} ${what}; the new version may have been stored. Look before you write it again.`, {
      cause,
      metadata: { effect: "unknown" },
    }),

  otherVersion: () =>
    new Refusal(
      "INVALID_REQUEST",
      "Another version is the newest, not the one that this write follows; nothing was stored. Look again before you write.",
    ),
};

const unavailable = (sentence: string, cause: unknown, retryAfterMs?: number) =>
  new Refusal("STORE_UNAVAILABLE", sentence, {
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    metadata: { effect: "none" },
  });
