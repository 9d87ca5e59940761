import { Action, Refusal } from "@sallyport/contracts";
import { type Draft, entityManagement } from "@sallyport/evidence";
import { actorOf, chainOf, depthOf, type Link } from "@sallyport/identity";
import type { EvidenceWriter } from "@sallyport/journal";
import type { Caller, TrustFeed } from "@sallyport/service";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { type Ask, judge } from "../use/ask.ts";
import type { Decisions } from "../use/decisions.ts";
import { callerFacts, type Ending } from "../use/records.ts";
import type { Review, Reviewer } from "./review.ts";
import type { Reviews } from "./reviews.ts";
import { refusedVote } from "./sentences.ts";
import { barred } from "./vote.ts";

export interface DecideParts {
  readonly reviews: Reviews;
  readonly decisions: Decisions;
  readonly catalogue: Catalogue;
  readonly evidence: EvidenceWriter;
  readonly feed: Pick<TrustFeed, "revocations">;
  readonly gate: { assertLive(caller: Caller): void };
}

export interface Ballot {
  readonly reviewId: string;
  readonly approve: boolean;
  readonly digest: string;
  readonly reason: string;
}

/**
 * One person's vote, whichever door it came through: the one check for all of them. The voter is who the credential proves,
 * policy must permit `approve`, and the vote is on record before it is answered.
 */
export async function decide(ballot: Ballot, caller: Caller, traceparent: string, parts: DecideParts): Promise<Review> {
  if (ballot.reason.length > 500) throw new Refusal("INVALID_REQUEST", "A reason has at most 500 characters.");
  const review = await parts.reviews.find(ballot.reviewId);
  const write = (ending: Ending, after?: Review) => voteRecord(ballot, review, caller, traceparent, ending, after);
  try {
    if (review === undefined) throw refusedVote("unknown");
    // Four eyes come first: an owner of the chain learns that, rather than what policy says.
    const ask: Ask = { caller, action: Action.APPROVE, secret: parts.catalogue.secret(review.secret), target: undefined, context: {} };
    const judged = await judge(ask, parts.decisions);
    const reviewer: Reviewer = {
      id: actorOf(caller.chain).id,
      kind: actorOf(caller.chain).kind,
      groups: caller.chain.groups,
      depth: depthOf(caller.chain) + 1,
    };
    const why = barred(review, reviewer);
    if (why !== undefined) throw refusedVote(why);
    if (judged.kind !== "allowed") throw refusedVote("not-a-reviewer");
    if (ballot.approve && isRevoked(review, parts.feed)) {
      throw new Refusal("APPROVAL_EXPIRED", "The agent that asked was revoked meanwhile; there is nothing to approve.");
    }
    // Announced before it counts: a vote that could not be put on record does not count.
    const intent = await parts.evidence.intent(write({ status: "success" }));
    parts.gate.assertLive(caller);
    const counted = await parts.reviews.vote(ballot.reviewId, reviewer, ballot);
    if (counted.kind === "unknown" || counted.kind === "refused") {
      const refusal = refusedVote(counted.kind === "unknown" ? "unknown" : counted.why);
      await intent.outcome(write({ status: "failure", reason: refusal.reason, sentence: refusal.message }));
      throw Object.assign(refusal, { onRecord: true });
    }
    await intent.outcome(write({ status: "success" }, counted.review));
    return counted.review;
  } catch (error) {
    if (error instanceof Refusal && !("onRecord" in error)) {
      await parts.evidence.refusal(write({ status: "failure", reason: error.reason, sentence: error.message }));
    }
    throw error;
  }
}

/** Whether whoever asked has been cut off since. A narrowed ancestor counts too: what was asked was asked under the wider ceiling. */
const isRevoked = (review: Review, feed: DecideParts["feed"]) =>
  feed.revocations.revokes({
    chain: chainOf(review.chain as readonly Link[], review.groups),
    sessionStarts: review.sessionStarts,
    issuedAt: Math.floor(review.createdAt / 1000),
    provider: review.provider,
  }) !== undefined;

function voteRecord(
  ballot: Ballot,
  review: Review | undefined,
  caller: Caller,
  traceparent: string,
  ending: Ending,
  after?: Review,
): Draft {
  return entityManagement(ballot.approve ? "activate" : "deactivate", {
    ...callerFacts(caller, traceparent),
    event: ballot.approve ? "review.approve" : "review.reject",
    ...ending,
    action: "approve",
    requestDigest: review?.digest,
    accessRequestId: ballot.reviewId,
    ...(review === undefined ? {} : { secret: { name: review.secret, version: review.secretVersion }, target: { name: review.target } }),
    ...(after === undefined
      ? {}
      : { approvers: after.votes.filter((vote) => vote.approve).map((vote) => ({ id: vote.reviewer, at: vote.at })) }),
    details: { vote_reason: ballot.reason, ...(after === undefined ? {} : { review_state: after.state }) },
    entity: { type: "Review", uid: ballot.reviewId },
  });
}
