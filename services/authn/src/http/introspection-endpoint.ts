import type { EdgeRequest, EdgeResponse, Gate, TrustFeed } from "@sallyport/service";
import { decodeJwt } from "jose";
import type { Evidence } from "../evidence/evidence.ts";
import { recorded } from "../evidence/recorded.ts";
import { edgeCall, endpoint } from "./edge-call.ts";
import { invalid, parseForm } from "./form.ts";
import { readHeldToken } from "./held-token.ts";
import { json, protectedError } from "./oauth-error.ts";

const method = endpoint("introspect");

/**
 * `POST /oauth/introspect` (RFC 7662). Whoever asks shows their own credential, and is told of that one and of those of their
 * subtree; every other is `active: false` (§2.2), as one that does not exist.
 */
export const introspectionEndpoint =
  (gate: Gate, feed: TrustFeed, evidence: Evidence, audience: string, now: () => number) =>
  async (request: EdgeRequest): Promise<EdgeResponse> => {
    const { call, headers } = edgeCall(request, method);
    try {
      return await recorded(evidence, "session.introspect", call, async (story) => {
        const token = parseForm(request).get("token");
        if (token === undefined) throw invalid("Say which token is meant.");
        const caller = await gate.authenticate(call);
        story.chain = caller.chain;
        const credential = readHeldToken(token, feed, audience, now());
        if (credential === undefined || !credential.chain.links.some(({ sid }) => sid === caller.sid))
          return json({ active: false }, 200, headers);
        const tokenType = credential.binding.kind === "dpop" ? "DPoP" : "Bearer";
        return json({ active: true, token_type: tokenType, ...decodeJwt(token) }, 200, headers);
      });
    } catch (error) {
      return protectedError(error, headers);
    }
  };
