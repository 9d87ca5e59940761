import { printable, Refusal } from "@sallyport/contracts";

/**
 * A request that a rule blocks.
 *
 * @param why goes on from "…:"; ends with a full stop
 * @param effect `unknown` where a part of the body was on its way already
 */
export const blocked = (rule: string, target: string, why: string, effect: "none" | "unknown" = "none") =>
  new Refusal("GUARDRAIL_BLOCKED", `Rule "${printable(rule, 64)}" at target "${printable(target)}" blocks this: ${why}`, {
    metadata: { rule, effect },
  });
