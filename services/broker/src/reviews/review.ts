import type { Action } from "@sallyport/contracts";

/** One thing that must be approved before the request may run; from the policy's annotations. */
export interface ApprovalRule {
  readonly name: string;
  /** Groups whose members may vote, `<provider>/<group>`. */
  readonly reviewers: readonly string[];
  /** Distinct people needed, at least 1. */
  readonly quorum: number;
  /** Milliseconds that the review stays open. */
  readonly reviewMs: number;
  /** Milliseconds that the grant can be used once given. */
  readonly grantMs: number;
}

export interface ReviewLink {
  readonly id: string;
  readonly kind: "person" | "service" | "pipeline" | "agent";
  readonly sid: string;
  readonly owner?: string | undefined;
}

export interface Vote {
  readonly reviewer: string;
  readonly groups: readonly string[];
  readonly approve: boolean;
  readonly reason: string;
  readonly at: number;
}

/** A review's state. `pending` is the only one that changes by votes; `granted` is left once, to `spent` or `expired`. */
export type ReviewState = "pending" | "granted" | "rejected" | "expired" | "spent";

/** An access request that waits for people, or what became of it. Times are epoch milliseconds. */
export interface Review {
  readonly id: string;
  readonly state: ReviewState;
  readonly chain: readonly ReviewLink[];
  readonly groups: readonly string[];
  /** When each link's session began, epoch seconds, and where the chain signed in: what a revocation can match. */
  readonly sessionStarts: readonly number[];
  readonly provider: string;
  readonly action: Action;
  readonly secret: string;
  readonly secretVersion: string;
  readonly target: string;
  /** Masked: `POST /v1/refunds`. */
  readonly summary: string;
  /** The masked body preview, sealed under the brokers' key. */
  readonly sealedPreview: string;
  /** SHA-256 of the canonical request, hex: what a vote and a grant are for. */
  readonly digest: string;
  readonly reason: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly rules: readonly ApprovalRule[];
  readonly votes: readonly Vote[];
  /** Set once granted. */
  readonly grantExpiresAt?: number | undefined;
}

/** Someone who votes: verified, never taken from a message. */
export interface Reviewer {
  readonly id: string;
  readonly kind: ReviewLink["kind"];
  readonly groups: readonly string[];
  /** Links of the reviewer's own chain; a person signed in for themselves has one. */
  readonly depth: number;
}

/** Where the review stands at this moment: a pending or granted one may have run out. */
export function stateAt(review: Review, now: number): ReviewState {
  if (review.state === "pending" && review.expiresAt <= now) return "expired";
  if (review.state === "granted" && (review.grantExpiresAt ?? 0) <= now) return "expired";
  return review.state;
}
