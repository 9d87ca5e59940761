import type { RevocationService } from "@sallyport/contracts";
import type { Gate, Handlers } from "@sallyport/service";
import type { Evidence } from "../evidence/evidence.ts";
import { recorded } from "../evidence/recorded.ts";
import type { Revocations } from "./revocations.ts";

/** RevocationService. */
export function revocationHandlers(gate: Gate, revocations: Revocations, evidence: Evidence): Handlers<typeof RevocationService> {
  return {
    revoke: (request, call) =>
      recorded(evidence, "session.revoke", call, async (story) => {
        const caller = await gate.authenticate(call);
        story.chain = caller.chain;
        story.origin = { ...story.origin, thumbprint: caller.thumbprint };
        return { sequence: BigInt(await revocations.revoke(request, caller, story.origin)) };
      }),
  };
}
