import { AccessState, type Review } from "@sallyport/contracts";
import { actionName } from "@sallyport/identity";
import { enumName } from "../../output/enum-name.ts";
import type { Columns } from "../../output/print.ts";
import { linksOf, timeOf } from "../../output/session.ts";

export const stateName = (state: AccessState): string => enumName(AccessState, state);

/** A review as commands answer it. */
export const reviewFacts = (review: Review) => ({
  id: review.id,
  state: stateName(review.state),
  chain: linksOf(review.chain),
  action: actionName(review.action) ?? "unknown",
  secret: review.secret,
  secretVersion: review.secretVersion,
  target: review.target,
  summary: review.summary,
  bodyPreview: review.bodyPreview,
  digest: review.digest,
  reason: review.reason,
  createdAt: timeOf(review.createdAt),
  expiresAt: timeOf(review.expiresAt),
  requirements: review.requirements.map(({ name, reviewers, quorum }) => ({ name, reviewers, quorum })),
  votes: review.votes.map(({ reviewer, approve, reason, at }) => ({ reviewer, approve, reason, at: timeOf(at) })),
});

type Facts = ReturnType<typeof reviewFacts>;

/** A list's. */
export const summaryColumns: Columns<Facts> = {
  id: ({ id }) => id,
  state: ({ state }) => state,
  "who asks": ({ chain }) => chain.at(-1)?.id ?? "",
  secret: ({ secret }) => secret,
  what: ({ target, summary }) => `${target}: ${summary}`,
  expires: ({ expiresAt }) => expiresAt,
};

/** Everything that a reviewer decides on. */
export const reviewColumns: Columns<Facts> = {
  id: ({ id }) => id,
  state: ({ state }) => state,
  "who asks": ({ chain }) => chain.map(({ id, kind, owner }) => `${id} (${kind}${owner === undefined ? "" : `, ${owner} answers for it`})`),
  "to do": ({ action, secret, secretVersion }) => `${action} ${secret}${secretVersion === "" ? "" : ` version ${secretVersion}`}`,
  at: ({ target }) => target,
  call: ({ summary }) => summary,
  body: ({ bodyPreview }) => (bodyPreview === "" ? "" : bodyPreview.split("\n")),
  why: ({ reason }) => reason,
  digest: ({ digest }) => digest,
  asked: ({ createdAt }) => createdAt,
  expires: ({ expiresAt }) => expiresAt,
  needs: ({ requirements }) => requirements.map(({ name, reviewers, quorum }) => `${name}: ${quorum} of ${reviewers.join(", ")}`),
  votes: ({ votes }) =>
    votes.map(
      ({ reviewer, approve, reason, at }) => `${at} ${reviewer} ${approve ? "approved" : "rejected"}${reason === "" ? "" : `: ${reason}`}`,
    ),
};
