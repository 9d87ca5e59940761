import type { EvaluationError } from "@sallyport/cedar";
import { Action, printable } from "@sallyport/contracts";
import { actionName } from "@sallyport/identity";
import type { ApprovalRule } from "../bundle/approval-rule.ts";
import type { LinkDecision } from "./decision.ts";
import type { Question } from "./question.ts";

const quoted = (text: string) => `"${printable(text)}"`;
const listed = (names: readonly string[]) => names.map(quoted).join(", ");

/** `use "prod/orders/api" at "orders-api"` */
function wanted({ action, secret, target, facts }: Question): string {
  if (action === Action.DELEGATE && facts.ticket === "unbound") return "delegate by a ticket that names no key";
  const on = secret === "" ? "" : ` ${quoted(secret)}`;
  return `${actionName(action)}${on}${target === "" ? "" : ` at ${quoted(target)}`}`;
}

export const allowedSentence = (question: Question, determining: readonly string[]): string =>
  `Every link of the chain may ${wanted(question)}, by ${listed(determining)}.`;

export function deniedSentence(question: Question, { link, determining }: LinkDecision): string {
  if (determining.length > 0) {
    return `${quoted(link)} may not ${wanted(question)}: ${determining.length === 1 ? "policy" : "policies"} ${listed(determining)} ${determining.length === 1 ? "forbids" : "forbid"} it; ask the policy's owner if that is not meant.`;
  }
  const unknown = question.secret === "" ? "" : ", or there is no such name";
  return `No policy lets ${quoted(link)} ${wanted(question)}${unknown}; ask whoever writes the policies for a permit, or use what you may.`;
}

export function approvalSentence(question: Question, { link, determining }: LinkDecision, approvals: readonly ApprovalRule[]): string {
  const people = approvals
    .map((rule) => `${quoted(rule.name)} by ${rule.quorum === 1 ? "one person" : `${rule.quorum} people`} of ${listed(rule.reviewers)}`)
    .join(", and ");
  return `For ${quoted(link)} to ${wanted(question)}, ${determining.length === 1 ? "policy" : "policies"} ${listed(determining)} ${determining.length === 1 ? "wants" : "want"} an approval: ${people}; request access and wait for it.`;
}

export function errorSentence(question: Question, link: LinkDecision | undefined, errors: readonly EvaluationError[]): string {
  const [first] = errors;
  const what =
    first?.policy === undefined ? "The question could not be evaluated" : `Policy ${quoted(first.policy)} could not be evaluated`;
  const whom = link === undefined ? "" : ` for ${quoted(link.link)}`;
  return `${what}${whom} (${printable(first?.message ?? "", 200)}), so to ${wanted(question)} is denied; tell the policy's owner.`;
}
