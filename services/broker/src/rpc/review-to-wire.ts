import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AccessRequestSchema, ReviewSchema } from "@sallyport/contracts";
import { AccessState, LinkKind } from "@sallyport/contracts";
import type { Review } from "../reviews/review.ts";
import { stateAt } from "../reviews/review.ts";

const states = {
  pending: AccessState.PENDING,
  granted: AccessState.GRANTED,
  rejected: AccessState.REJECTED,
  expired: AccessState.EXPIRED,
  spent: AccessState.SPENT,
} as const;

const kinds = { person: LinkKind.PERSON, service: LinkKind.SERVICE, pipeline: LinkKind.PIPELINE, agent: LinkKind.AGENT } as const;

export const accessRequestToWire = (review: Review, now: number): MessageInitShape<typeof AccessRequestSchema> => ({
  id: review.id,
  state: states[stateAt(review, now)],
  expiresAt: timestamp(review.grantExpiresAt ?? review.expiresAt),
});

/** @param preview the masked body preview, opened */
export const reviewToWire = (review: Review, preview: string, now: number): MessageInitShape<typeof ReviewSchema> => ({
  id: review.id,
  state: states[stateAt(review, now)],
  chain: {
    links: review.chain.map((link) => ({ id: link.id, kind: kinds[link.kind], sessionId: link.sid, owner: link.owner ?? "" })),
    groups: [...review.groups],
  },
  action: review.action,
  secret: review.secret,
  secretVersion: review.secretVersion,
  target: review.target,
  summary: review.summary,
  bodyPreview: preview,
  digest: review.digest,
  reason: review.reason,
  createdAt: timestamp(review.createdAt),
  expiresAt: timestamp(review.grantExpiresAt ?? review.expiresAt),
  votes: review.votes.map((vote) => ({ reviewer: vote.reviewer, approve: vote.approve, reason: vote.reason, at: timestamp(vote.at) })),
  requirements: review.rules.map((rule) => ({ name: rule.name, reviewers: [...rule.reviewers], quorum: rule.quorum })),
});

export const timestamp = (ms: number) => ({ seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.floor(ms % 1000) * 1_000_000 });
