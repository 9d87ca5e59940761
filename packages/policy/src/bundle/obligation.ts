import type { Policy } from "@sallyport/cedar";

/** What whoever asked must do for an allowed decision to hold. */
export interface Obligation {
  readonly name: string;
  /** The annotation's text. */
  readonly value: string;
}

/** `@obligation_max_rows("100")` on a permit is the obligation `max_rows` with the value `100`. */
export const obligationPrefix = "obligation_";

export const obligationsOf = (policy: Policy): Obligation[] =>
  [...policy.annotations]
    .filter(([name]) => name.startsWith(obligationPrefix))
    .map(([name, value]) => ({ name: name.slice(obligationPrefix.length), value }));
