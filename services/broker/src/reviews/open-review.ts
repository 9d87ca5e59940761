import { entityManagement } from "@sallyport/evidence";
import type { UseParts } from "../use/parts.ts";
import { evidenceChain } from "../use/records.ts";
import type { Review } from "./review.ts";

/** Bytes of a body that a reviewer sees, after masking. */
const previewChars = 4096;

/** Opens a review for a use that policy wants approved, or joins the one that is open for it; on record when it is opened. */
export const openReview =
  (parts: Omit<UseParts, "openReview">): UseParts["openReview"] =>
  async ({ command, judged, digest, version, reason }): Promise<Review> => {
    const { ask, operation } = command;
    const masked = (text: string) => parts.masks.mask(ask.caller.rootSid, text);
    const { review, opened } = await parts.reviews.open(
      {
        chain: ask.caller.chain.links,
        groups: ask.caller.chain.groups,
        sessionStarts: ask.caller.credential.sessionStarts,
        provider: ask.caller.credential.provider,
        action: ask.action,
        secret: ask.secret.name,
        secretVersion: version,
        target: ask.target?.name ?? "",
        summary: masked(operation.summary),
        digest,
        reason,
        rules: judged.rules,
      },
      // Masked as a whole before it is cut, so that no value is cut in two.
      masked(Buffer.from(operation.body).toString("utf8")).slice(0, previewChars),
    );
    if (opened) {
      await parts.evidence.record(
        entityManagement("create", {
          event: "review.open",
          status: "success",
          chain: evidenceChain(ask.caller.chain),
          traceparent: command.traceparent,
          secret: { name: review.secret, version },
          target: { name: review.target },
          statement: { masked: review.summary, keyedHash: parts.fingerprints.ofStatement(operation.exactBytes) },
          requestDigest: digest,
          policies: { version: judged.policyVersion, determining: judged.policies },
          accessRequestId: review.id,
          entity: { type: "Review", uid: review.id },
        }),
      );
    }
    return review;
  };
