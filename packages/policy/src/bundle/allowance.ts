import { type Policy, type PolicyProblem, problemIn } from "@sallyport/cedar";

/** On a permit: what it allows beside the ordinary, which no permit does that does not say so. */
export const allowanceAnnotation = "allows";

/** An enrolment ticket that names no key: whoever redeems it first becomes the child. */
export const unboundTicket = "unbound-ticket";

/** Whether a permit lets out tickets that name no key. */
export const allowsUnboundTickets = (policy: Policy): boolean => policy.annotations.get(allowanceAnnotation) === unboundTicket;

/** Refuses an allowance that nothing reads. */
export function checkAllowance(policy: Policy): PolicyProblem[] {
  const allowance = policy.annotations.get(allowanceAnnotation);
  if (allowance === undefined) return [];
  const at = (message: string) => [problemIn(policy, message, (token) => token.text === allowanceAnnotation)];
  if (policy.effect === "forbid") return at(`@${allowanceAnnotation} goes with a permit; a forbid allows nothing`);
  return allowance === unboundTicket ? [] : at(`@${allowanceAnnotation} can only be "${unboundTicket}"`);
}
