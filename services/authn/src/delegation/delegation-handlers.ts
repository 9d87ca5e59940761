import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { DelegationService } from "@sallyport/contracts";
import { ceilingFromWire } from "@sallyport/identity";
import type { Gate, Handlers } from "@sallyport/service";
import type { Evidence } from "../evidence/evidence.ts";
import { recorded } from "../evidence/recorded.ts";
import { parseBinding } from "../exchange/parse-exchange.ts";
import type { Delegation } from "./delegation.ts";
import { parseChildKey } from "./ticket.ts";

/** DelegationService: the parent's half and the child's half of starting a nested agent. */
export function delegationHandlers(gate: Gate, delegation: Delegation, evidence: Evidence): Handlers<typeof DelegationService> {
  return {
    issueTicket: (request, call) =>
      recorded(evidence, "agent.delegate", call, async (story) => {
        const caller = await gate.authenticate(call);
        story.chain = caller.chain;
        story.origin = { ...story.origin, thumbprint: caller.thumbprint };
        const { agentName, ttlSeconds } = request;
        const order = { childKey: parseChildKey(request), agentName, ttlSeconds, ceiling: ceilingFromWire(request.ceiling) };
        const { ticket, expiresAt, sid } = await delegation.issueTicket(order, caller.chain, story.origin);
        return { ticket, expiresAt: timestampFromMs(expiresAt), sessionId: sid };
      }),
    redeemTicket: (request, call) =>
      recorded(evidence, "agent.enrol", call, async (story) => {
        const { thumbprint, publicJwk } = await gate.prove(call);
        story.origin = { ...story.origin, thumbprint };
        const { ticket, workloadToken, workloadTokenType } = request;
        const shown = { ticket, workload: workloadToken === "" ? undefined : { token: workloadToken, type: workloadTokenType } };
        const credential = await delegation.redeem(shown, parseBinding(request.binding), { thumbprint, publicJwk }, story.origin);
        return { credential };
      }),
  };
}
