import type { CheckRequest } from "@sallyport/contracts";
import { chainFromWire } from "@sallyport/identity";
import type { Question } from "../decide/question.ts";

/**
 * A question from a message. An action that is absent or unknown goes on, to be denied.
 * @throws Refusal INVALID_REQUEST for a chain that is malformed
 */
export const questionFromWire = (request: CheckRequest): Question => ({
  chain: chainFromWire(request.chain),
  action: request.action,
  secret: request.secret,
  target: request.target,
  facts: request.context ?? {},
  requestDigest: request.requestDigest,
  grants: request.approvals.map(({ name, requestDigest, expiresAt }) => ({
    name,
    requestDigest,
    // Absent: long ago.
    expiresAt: expiresAt === undefined ? 0 : Number(expiresAt.seconds) * 1000 + Math.floor(expiresAt.nanos / 1_000_000),
  })),
});
