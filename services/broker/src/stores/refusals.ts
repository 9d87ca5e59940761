import { printable, Refusal } from "@sallyport/contracts";

/** How stores refuse. No sentence holds anything that a store said. */
export const refusals = {
  /** No such secret, no such version, or none for the broker: one answer for all. */
  notGiven: (store: string, cause?: unknown) =>
    unavailable(
      `Store ${store} has no such value for the broker: none was written there yet, or the broker's role may not have it.`,
      cause,
    ),

  failed: (store: string, what: string, cause?: unknown) =>
    outage(unavailable(`Store ${store} ${what}; nothing was done. Try again, or tell the operator.`, cause, 1000)),

  sealed: (store: string) =>
    outage(
      unavailable(
        `Store ${store} is sealed; nothing was done. An operator must unseal it; it is used again by itself then.`,
        undefined,
        5000,
      ),
    ),

  /** The circuit is open: the store is left alone for a while. */
  resting: (store: string, cause: unknown) =>
    unavailable(
      `Store ${store} did not serve several times in a row, so it is not asked for a few seconds; nothing was done. Try again then, or tell the operator.`,
      cause,
      2000,
    ),

  maybeWritten: (store: string, what: string, cause?: unknown) =>
    outage(
      new Refusal("STORE_UNAVAILABLE", `Store ${store} ${what}; the new version may have been stored. Look before you write it again.`, {
        cause: quiet(cause),
        metadata: { effect: "unknown" },
      }),
    ),

  otherVersion: () =>
    new Refusal(
      "INVALID_REQUEST",
      "Another version is the newest, not the one that this write follows; nothing was stored. Look again before you write.",
    ),

  cannotCheck: (store: string) =>
    new Refusal(
      "INVALID_REQUEST",
      `Store ${store} cannot check which version a write follows; nothing was stored. Leave the version out, if it may replace whatever is there.`,
    ),

  readOnly: (store: string) =>
    new Refusal("INVALID_REQUEST", `Store ${store} takes no writes; nothing was stored. Change the value where it is set.`),

  /** A path that this kind of store cannot have. */
  noPath: (path: string, what: string) => new Refusal("INVALID_REQUEST", `"${printable(path)}" is no path of this kind of store: ${what}.`),

  notText: (field: string) =>
    new Refusal("INVALID_REQUEST", `Field "${printable(field)}" is not UTF-8 text, which is all that this store keeps; encode it first.`),
};

const outages = new WeakSet<object>();

/** Whether a store did not do its work, as distinct from a clear answer such as "no such secret". */
export const isOutage = (error: unknown): boolean => typeof error === "object" && error !== null && outages.has(error);

function outage(refusal: Refusal): Refusal {
  outages.add(refusal);
  return refusal;
}

const unavailable = (sentence: string, cause: unknown, retryAfterMs?: number) =>
  new Refusal("STORE_UNAVAILABLE", sentence, {
    ...(cause === undefined ? {} : { cause: quiet(cause) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    metadata: { effect: "none" },
  });

/** Our own errors are fit for the log. Others quote what they could not read, and that may be a value: only their names are kept. */
function quiet(cause: unknown): unknown {
  if (cause === undefined || cause instanceof Refusal) return cause;
  if (!(cause instanceof Error)) return undefined;
  const { code } = cause as { code?: unknown };
  return new Error(`${printable(cause.name, 60)}${typeof code === "string" && /^[A-Z0-9_]{1,40}$/.test(code) ? ` ${code}` : ""}`);
}
