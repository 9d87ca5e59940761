import type { EdgeRequest, EdgeResponse, Gate, TrustFeed } from "@sallyport/service";
import type { Evidence } from "../evidence/evidence.ts";
import { recorded } from "../evidence/recorded.ts";
import type { Revocations } from "../revocation/revocations.ts";
import { edgeCall, endpoint } from "./edge-call.ts";
import { invalid, parseForm } from "./form.ts";
import { readHeldToken } from "./held-token.ts";
import { json, protectedError } from "./oauth-error.ts";

const method = endpoint("revoke");

/**
 * `POST /oauth/revoke` (RFC 7009): ends the session of a credential, with its subtree. One that is dead, or none of ours, is
 * answered as if it had been ended now (§2.2).
 */
export const revocationEndpoint =
  (gate: Gate, feed: TrustFeed, revocations: Revocations, evidence: Evidence, audience: string, now: () => number) =>
  async (request: EdgeRequest): Promise<EdgeResponse> => {
    const { call, headers } = edgeCall(request, method);
    try {
      return await recorded(evidence, "session.revoke", call, async (story) => {
        const token = parseForm(request).get("token");
        if (token === undefined) throw invalid("Say which token is meant.");
        const caller = await gate.authenticate(call);
        story.chain = caller.chain;
        story.origin = { ...story.origin, thumbprint: caller.thumbprint };
        const credential = readHeldToken(token, feed, audience, now());
        if (credential !== undefined) {
          await revocations.revoke({ subject: { case: "sessionId", value: credential.sid }, reason: "" }, caller, story.origin);
        }
        return json({}, 200, headers);
      });
    } catch (error) {
      return protectedError(error, headers);
    }
  };
