import { Refusal } from "@sallyport/contracts";
import { actionName } from "@sallyport/identity";
import type { EvidenceWriter } from "@sallyport/journal";
import { denied, judge } from "../use/ask.ts";
import type { Decisions } from "../use/decisions.ts";
import { secretRecord, type UseFacts } from "../use/records.ts";

/**
 * Returns where the ask is permitted outright, and notes in `facts` what decided. Whatever refuses it, policy that does not
 * answer included, is on record.
 *
 * @param check what else must hold; looked at only once policy permits, as it may tell of the secret
 */
export async function permitted(
  facts: UseFacts,
  parts: { readonly decisions: Decisions; readonly evidence: EvidenceWriter },
  signal: AbortSignal,
  check: () => void = () => {},
): Promise<void> {
  const { ask } = facts;
  try {
    const judged = await judge(ask, parts.decisions, {}, signal);
    facts.judged = judged;
    if (judged.kind === "denied") throw denied(ask, judged);
    if (judged.kind === "needs-approval") {
      throw new Refusal(
        "DENIED_BY_POLICY",
        `Policy wants an approval to ${actionName(ask.action)} this secret; only a use can be approved in this version.`,
      );
    }
    check();
  } catch (error) {
    if (error instanceof Refusal) {
      const ending = { status: "failure", reason: error.reason, sentence: error.message } as const;
      await parts.evidence.refusal(secretRecord(facts, ask.secret.config?.store ?? "", ending));
    }
    throw error;
  }
}
