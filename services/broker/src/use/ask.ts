import { Action, Refusal } from "@sallyport/contracts";
import { actionName, ceilingAllows } from "@sallyport/identity";
import type { Caller } from "@sallyport/service";
import type { Named, SecretConfig, TargetConfig } from "../catalogue/catalogue.ts";
import type { Answer, Decisions, Question } from "./decisions.ts";

/** One access request, parsed: who wants which action on which secret, and for what. */
export interface Ask {
  readonly caller: Caller;
  readonly action: Action;
  readonly secret: Named<SecretConfig>;
  /** Set where the caller named no secret and the target has just one: its name is then not the caller's to know. */
  readonly secretImplied?: true;
  readonly target: Named<TargetConfig> | undefined;
  /** Facts for policies. */
  readonly context: Record<string, string>;
}

/** An answer that is kept from the agent: what really decided, for evidence. */
export type Judged =
  | Answer
  | { kind: "denied"; reason: "DENIED_BY_POLICY"; sentence: string; policies: readonly string[]; policyVersion: string };

/**
 * Whether the chain may: its own ceiling, policy for every link, and the secret exists. All three are always looked at, and
 * the agent gets one answer for all of them, so that it cannot tell a forbidden secret from one that does not exist.
 */
export async function judge(
  ask: Ask,
  decisions: Decisions,
  held: Pick<Question, "digest" | "approvals"> = {},
  signal?: AbortSignal,
): Promise<Judged> {
  const question: Question = {
    chain: ask.caller.chain,
    action: ask.action,
    secret: ask.secret.name,
    target: ask.target?.name ?? "",
    context: ask.context,
    ...held,
  };
  const answer = await decisions.ask(question, signal);
  const without = { policies: answer.policies, policyVersion: answer.policyVersion };
  if (!ceilingAllows(ask.caller.ceiling, ask.action, ask.secret.name, ask.target?.name)) {
    return { kind: "denied", reason: "DENIED_BY_POLICY", sentence: "outside the ceiling of the caller's credential", ...without };
  }
  if (ask.secret.config === undefined || (ask.target !== undefined && ask.target.config === undefined)) {
    return { kind: "denied", reason: "DENIED_BY_POLICY", sentence: "no such secret or target", ...without };
  }
  if (ask.action === Action.USE && ask.target?.config?.secret !== ask.secret.name) {
    return { kind: "denied", reason: "DENIED_BY_POLICY", sentence: "the target is not configured for this secret", ...without };
  }
  return answer;
}

/** The refusal for a denied ask: the same for every cause but a policy that could not be evaluated. */
export function denied(ask: Ask, judged: Extract<Judged, { kind: "denied" }>): Refusal {
  if (judged.reason === "POLICY_ERROR") {
    return new Refusal(
      "POLICY_ERROR",
      "A policy could not be evaluated for this request, so it is denied; tell the policy's author, who finds the error in evidence.",
    );
  }
  // Only what the caller named: a target that there is not implies no secret, and its answer would tell it from a forbidden one.
  const secret = ask.secretImplied ? "" : ` "${ask.secret.name}"`;
  const at = ask.target === undefined ? "" : ` at "${ask.target.name}"`;
  return new Refusal(
    "DENIED_BY_POLICY",
    `This chain may not ${actionName(ask.action)}${secret}${at}, or there is no such name; ask whoever delegated to you, or whoever writes the policies.`,
  );
}
