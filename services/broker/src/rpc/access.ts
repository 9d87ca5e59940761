import { setTimeout as sleep } from "node:timers/promises";
import { AccessState, type BrokerService, Refusal } from "@sallyport/contracts";
import type { Clock, Handler } from "@sallyport/service";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { stateAt } from "../reviews/review.ts";
import type { Reviews } from "../reviews/reviews.ts";
import type { UseParts } from "../use/parts.ts";
import { requestAccess as requestReview } from "../use/request-access.ts";
import { parseUse } from "./parse-use.ts";
import type { CallerGate } from "./recording-gate.ts";
import { accessRequestToWire } from "./review-to-wire.ts";
import { parseReviewId } from "./reviews.ts";

export const requestAccess =
  (gate: CallerGate, catalogue: Catalogue, parts: UseParts): Handler<typeof BrokerService.method.requestAccess> =>
  async (request, call) => {
    const caller = await gate.authenticate(call);
    if (request.use === undefined) throw new Refusal("INVALID_REQUEST", "Say in `use` exactly what will be asked for.");
    if (request.reason.length > 500) throw new Refusal("INVALID_REQUEST", "A reason has at most 500 characters.");
    const review = await requestReview(parseUse(request.use, caller, call, catalogue), request.reason, parts, call.signal);
    return { accessRequest: review === undefined ? { state: AccessState.NOT_NEEDED } : accessRequestToWire(review, parts.clock.now()) };
  };

/** Seconds that one wait takes at most, below the usual idle limits of what lies between. */
const maxWaitSeconds = 55;
const pollMs = 200;

export const waitForAccess =
  (gate: CallerGate, reviews: Reviews, clock: Clock): Handler<typeof BrokerService.method.waitForAccess> =>
  async (request, call) => {
    const caller = await gate.authenticate(call);
    const id = parseReviewId(request.accessRequestId);
    const until = clock.monotonic() + Math.min(request.timeoutSeconds, maxWaitSeconds) * 1000;
    for (;;) {
      const review = await reviews.find(id);
      if (review === undefined || !review.chain.some((link) => link.sid === caller.sid)) {
        throw new Refusal("DENIED_BY_POLICY", "There is no such access request of yours; ask for access again.");
      }
      if (stateAt(review, clock.now()) !== "pending" || clock.monotonic() >= until)
        return { accessRequest: accessRequestToWire(review, clock.now()) };
      await sleep(pollMs, undefined, { signal: call.signal });
      // A wait is no effect, but a revoked agent learns nothing more.
      gate.assertLive(caller);
    }
  };
