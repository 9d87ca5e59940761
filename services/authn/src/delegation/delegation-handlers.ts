import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { DelegationService } from "@sallyport/contracts";
import { ceilingFromWire } from "@sallyport/identity";
import type { Gate, Handlers } from "@sallyport/service";
import type { Evidence } from "../evidence/evidence.ts";
import { recorded } from "../evidence/recorded.ts";
import { parseBinding } from "../exchange/parse-exchange.ts";
import type { Delegation } from "./delegation.ts";

/** DelegationService: the parent's half and the child's half of starting a nested agent. */
export function delegationHandlers(gate: Gate, delegation: Delegation, evidence: Evidence): Handlers<typeof DelegationService> {
  return {
    issueTicket: (request, call) =>
      recorded(evidence, "agent.delegate", call, async (story) => {
        const caller = await gate.authenticate(call);
        story.chain = caller.chain;
        story.origin = { ...story.origin, thumbprint: caller.thumbprint };
        const { childThumbprint, agentName, ttlSeconds } = request;
        const order = { childThumbprint, agentName, ttlSeconds, ceiling: ceilingFromWire(request.ceiling) };
        const { ticket, expiresAt, sid } = await delegation.issueTicket(order, caller.sid, story.origin);
        return { ticket, expiresAt: timestampFromMs(expiresAt), sessionId: sid };
      }),
    redeemTicket: (request, call) =>
      recorded(evidence, "agent.enrol", call, async (story) => {
        const { thumbprint, publicJwk } = await gate.prove(call);
        story.origin = { ...story.origin, thumbprint };
        return {
          credential: await delegation.redeem(request.ticket, parseBinding(request.binding), { thumbprint, publicJwk }, story.origin),
        };
      }),
  };
}
