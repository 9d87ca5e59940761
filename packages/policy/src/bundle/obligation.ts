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

/** Obligations of `delegate` that are limits: `@obligation_max_depth("3")`. Where several permits decide, all hold, so the lowest counts. */
export const delegationLimits: ReadonlySet<string> = new Set(["max_depth", "max_agents", "max_children", "tickets_per_minute"]);

/** What is wrong with a limit's text; undefined where nothing is, or the obligation is no limit. */
export const delegationLimitProblem = (name: string, value: string): string | undefined =>
  delegationLimits.has(name) && !/^[1-9]\d{0,5}$/.test(value) ? "must be a whole number from 1 to 999999" : undefined;
