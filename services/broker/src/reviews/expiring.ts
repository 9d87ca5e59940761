import { entityManagement } from "@sallyport/evidence";
import type { EvidenceWriter } from "@sallyport/journal";
import type { Clock } from "@sallyport/service";
import type { Review } from "./review.ts";
import { stateAt } from "./review.ts";
import type { Reviews } from "./reviews.ts";

const everyMs = 5_000;

/**
 * Puts on record what ran out undecided or unused. Silence is never a yes: an ended review is ended whether this runs or not.
 *
 * @returns also how many reviews wait for people, as they were last counted
 */
export function expiring(reviews: Reviews, evidence: EvidenceWriter, clock: Clock): { readonly waiting: number; stop(): void } {
  let sweeping = false;
  let waiting = 0;
  const sweep = async () => {
    if (sweeping) return;
    sweeping = true;
    try {
      let after: string | undefined;
      let pending = 0;
      do {
        const page = await reviews.list(after, 200);
        for (const review of page) {
          if (stateAt(review, clock.now()) === "pending") pending++;
          if (review.state === "expired" || stateAt(review, clock.now()) !== "expired") continue;
          if (await reviews.expire(review)) await evidence.record(expiredRecord(review));
        }
        after = page.length < 200 ? undefined : page.at(-1)?.id;
      } while (after !== undefined);
      waiting = pending;
    } catch {
      // State or journal are away: they say so themselves wherever an effect wants them, and the next sweep tries again.
    } finally {
      sweeping = false;
    }
  };
  const timer = setInterval(() => void sweep(), everyMs).unref();
  return {
    get waiting() {
      return waiting;
    },
    stop: () => clearInterval(timer),
  };
}

const expiredRecord = (review: Review) =>
  entityManagement("deactivate", {
    event: "review.expire",
    status: "failure",
    reason: "APPROVAL_EXPIRED",
    sentence: review.state === "granted" ? "The grant was not used in time." : "Nobody decided in time.",
    chain: { links: review.chain, groups: review.groups },
    secret: { name: review.secret, version: review.secretVersion },
    target: { name: review.target },
    requestDigest: review.digest,
    accessRequestId: review.id,
    entity: { type: "Review", uid: review.id },
  });
