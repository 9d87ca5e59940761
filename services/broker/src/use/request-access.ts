import type { Review } from "../reviews/review.ts";
import { unfit } from "../targets/operation.ts";
import { denied, judge } from "./ask.ts";
import type { UseParts } from "./parts.ts";
import { useRecord } from "./records.ts";
import type { UseCommand } from "./use.ts";

/** Opens or joins the review that a use will need; undefined where policy allows it without one. Nothing is used. */
export async function requestAccess(
  command: UseCommand,
  reason: string,
  parts: UseParts,
  signal: AbortSignal,
): Promise<Review | undefined> {
  const { ask, operation } = command;
  const judged = await judge(ask, parts.decisions, {}, signal);
  switch (judged.kind) {
    case "allowed":
      return undefined;
    case "denied": {
      const refusal = denied(ask, judged);
      const facts = { ask, judged, traceparent: command.traceparent, peerAddress: command.peerAddress };
      await parts.evidence.refusal(
        useRecord(facts, operation.method, { status: "failure", reason: refusal.reason, sentence: refusal.message }),
      );
      throw refusal;
    }
    case "needs-approval": {
      const unfitBecause = unfit(operation);
      if (unfitBecause !== undefined) throw unfitBecause;
      const { version } = await parts.reader.describe(ask.secret.name);
      return parts.openReview({ command, judged, digest: parts.digest(ask, version, operation), version, reason });
    }
  }
}
