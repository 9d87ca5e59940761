import { Action, Refusal, type ReviewService } from "@sallyport/contracts";
import { actorOf } from "@sallyport/identity";
import type { Call, Caller, Clock, Handlers } from "@sallyport/service";
import { type DecideParts, decide } from "../reviews/decide.ts";
import type { Review } from "../reviews/review.ts";
import { stateAt } from "../reviews/review.ts";
import { refusedVote } from "../reviews/sentences.ts";
import { isOfChain } from "../reviews/vote.ts";
import { judge } from "../use/ask.ts";
import { traceparentOf } from "./call-facts.ts";
import type { CallerGate } from "./recording-gate.ts";
import { reviewToWire } from "./review-to-wire.ts";

/** The people's side: seeing reviews and deciding them. A vote is a POST of a signed-in person's, through one check. */
export function reviewHandlers(gate: CallerGate, clock: Clock, parts: DecideParts): Handlers<typeof ReviewService> {
  const toWire = (review: Review) => reviewToWire(review, parts.reviews.preview(review), clock.now());
  const voted = async (request: { reviewId: string; digest: string; reason: string }, approve: boolean, call: Call) => {
    const caller = await gate.authenticate(call);
    return { review: toWire(await decide({ ...request, approve }, caller, traceparentOf(call), parts)) };
  };
  /** A review is seen by whoever may decide it, and by its own chain. */
  const maySee = async (review: Review, caller: Caller) => {
    if (isOfChain(review, actorOf(caller.chain).id)) return true;
    const inGroup = review.rules.some((rule) => rule.reviewers.some((group) => caller.chain.groups.includes(group)));
    const ask = { caller, action: Action.APPROVE, secret: parts.catalogue.secret(review.secret), target: undefined, context: {} };
    return inGroup && (await judge(ask, parts.decisions)).kind === "allowed";
  };

  return {
    listReviews: async (request, call) => {
      const caller = await gate.authenticate(call);
      const limit = Math.min(request.pageSize || 100, 1000);
      const page = await parts.reviews.list(request.pageToken || undefined, limit);
      const reviews: Review[] = [];
      for (const review of page) {
        if (request.pendingOnly && stateAt(review, clock.now()) !== "pending") continue;
        if (await maySee(review, caller)) reviews.push(review);
      }
      return { reviews: reviews.map(toWire), nextPageToken: page.length < limit ? "" : (page.at(-1)?.id ?? "") };
    },
    getReview: async (request, call) => {
      const caller = await gate.authenticate(call);
      const review = await parts.reviews.find(request.reviewId);
      if (review === undefined || !(await maySee(review, caller))) throw refusedVote("unknown");
      return { review: toWire(review) };
    },
    approve: (request, call) => voted(request, true, call),
    reject: (request, call) => voted(request, false, call),
  };
}

/** An id from the wire. */
export function parseReviewId(id: string): string {
  if (/^[A-Za-z0-9_-]{16}$/.test(id)) return id;
  throw new Refusal("INVALID_REQUEST", "An access request's id has 16 letters, digits, - or _.");
}
