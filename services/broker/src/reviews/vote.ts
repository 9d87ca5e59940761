import type { Review, Reviewer, Vote } from "./review.ts";
import { stateAt } from "./review.ts";

export type Counted =
  | { kind: "counted"; review: Review }
  | { kind: "granted"; review: Review }
  | { kind: "rejected"; review: Review }
  | { kind: "refused"; why: "not-a-person" | "in-chain" | "not-a-reviewer" | "already-voted" | "ended" | "expired" | "other-request" };

/**
 * Counts one person's vote. Four eyes: nobody in the chain, nor who owns a link of it, decides on their own subtree
 * (NIST SP 800-53 AC-5). One rejection ends the review; every rule needs its own quorum of distinct people.
 */
export function countVote(
  review: Review,
  by: Reviewer,
  ballot: { approve: boolean; digest: string; reason: string },
  now: number,
): Counted {
  const why = barred(review, by);
  if (why !== undefined) return { kind: "refused", why };
  if (!review.rules.some((rule) => admits(rule.reviewers, by.groups))) return { kind: "refused", why: "not-a-reviewer" };
  const state = stateAt(review, now);
  if (state === "expired") return { kind: "refused", why: "expired" };
  if (state !== "pending") return { kind: "refused", why: "ended" };
  if (ballot.digest !== review.digest) return { kind: "refused", why: "other-request" };
  if (review.votes.some((vote) => vote.reviewer === by.id)) return { kind: "refused", why: "already-voted" };

  const vote: Vote = { reviewer: by.id, groups: by.groups, approve: ballot.approve, reason: ballot.reason, at: now };
  const voted: Review = { ...review, votes: [...review.votes, vote] };
  if (!ballot.approve) return { kind: "rejected", review: { ...voted, state: "rejected" } };
  if (!voted.rules.every((rule) => approvalsFor(voted, rule.reviewers) >= rule.quorum)) return { kind: "counted", review: voted };
  const grantMs = Math.min(...voted.rules.map((rule) => rule.grantMs));
  return { kind: "granted", review: { ...voted, state: "granted", grantExpiresAt: now + grantMs } };
}

/** Why somebody may not vote whatever their groups: they are of the chain, or no person who signed in for themselves. */
export function barred(review: Review, by: Reviewer): "in-chain" | "not-a-person" | undefined {
  if (isOfChain(review, by.id)) return "in-chain";
  return by.kind !== "person" || by.depth !== 1 ? "not-a-person" : undefined;
}

/** Whether somebody is a link of the review's chain, owns one, or is the principal above it. */
export const isOfChain = (review: Review, id: string): boolean =>
  review.chain.some((link) => link.id === id || link.owner === id || link.id.startsWith(`${id}#`));

const admits = (reviewers: readonly string[], groups: readonly string[]) => groups.some((group) => reviewers.includes(group));

const approvalsFor = (review: Review, reviewers: readonly string[]) =>
  review.votes.filter((vote) => vote.approve && admits(reviewers, vote.groups)).length;
