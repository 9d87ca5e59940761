import { Refusal } from "@sallyport/contracts";
import type { Counted } from "./vote.ts";

type Why = Extract<Counted, { kind: "refused" }>["why"];

/** A vote that did not count, as the voter is told. */
export function refusedVote(why: Why | "unknown"): Refusal {
  switch (why) {
    case "unknown":
      return new Refusal("DENIED_BY_POLICY", "There is no such review, or you may not see it.");
    case "not-a-person":
      return new Refusal("DENIED_BY_POLICY", "Only a person who signed in for themselves may vote; an agent or a service account may not.");
    case "in-chain":
      return new Refusal("DENIED_BY_POLICY", "You started this chain, own it or are part of it; somebody else must decide.");
    case "not-a-reviewer":
      return new Refusal("DENIED_BY_POLICY", "You are in none of the groups that policy names as reviewers of this request.");
    case "already-voted":
      return new Refusal("DENIED_BY_POLICY", "You have voted on this review already; a vote cannot be changed.");
    case "ended":
      return new Refusal("APPROVAL_EXPIRED", "This review has ended already; the first decision stands.");
    case "expired":
      return new Refusal("APPROVAL_EXPIRED", "This review ran out before it was decided; the agent must ask again.");
    case "other-request":
      return new Refusal(
        "INVALID_REQUEST",
        "The digest is not that of the request under review; look at the review again before you vote.",
      );
  }
}
