import { type PolicyProblem, problemText } from "@sallyport/cedar";
import { entityManagement } from "@sallyport/evidence";
import type { EvidenceWriter } from "@sallyport/journal";
import type { LoadRecords } from "./served-policies.ts";

const shown = 10;

/** Puts every load on record: which set decides from now on, and which was refused and why (OCSF Entity Management). */
export const loadRecords = (evidence: Pick<EvidenceWriter, "record" | "refusal">): LoadRecords => ({
  async loaded(bundle, previous) {
    await evidence.record(
      entityManagement(previous === undefined ? "activate" : "update", {
        event: "policies.load",
        status: "success",
        policies: { version: bundle.version, determining: [] },
        entity: { type: "PolicySet", uid: bundle.version },
        details: { policies: bundle.policies.length, ...(previous === undefined ? {} : { previous_version: previous }) },
      }),
    );
  },
  async refused(problems, serving) {
    await evidence.refusal(
      entityManagement("update", {
        event: "policies.load",
        status: "failure",
        reason: "INVALID_REQUEST",
        sentence: "These policies were refused; the last good set, if any, stays.",
        entity: { type: "PolicySet", uid: serving ?? "none" },
        details: {
          problems: problems.slice(0, shown).map((problem: PolicyProblem) => problemText(problem)),
          problem_count: problems.length,
        },
      }),
    );
  },
});
