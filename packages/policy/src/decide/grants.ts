import type { Question } from "./question.ts";

const digestForm = /^[0-9a-f]{64}$/;

/** Names of the approvals that count: for exactly this request, and not expired at `now` (epoch milliseconds). */
export function grantedApprovals({ grants, requestDigest }: Question, now: number): ReadonlySet<string> {
  if (!digestForm.test(requestDigest)) return new Set();
  // Written so that a time that is no number does not count.
  return new Set(grants.filter((grant) => grant.requestDigest === requestDigest && grant.expiresAt > now).map((grant) => grant.name));
}
