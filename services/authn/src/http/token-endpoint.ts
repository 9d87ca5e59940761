import { parseAgentName } from "@sallyport/identity";
import type { EdgeRequest, EdgeResponse, Gate } from "@sallyport/service";
import type { Evidence } from "../evidence/evidence.ts";
import { recorded } from "../evidence/recorded.ts";
import type { Exchange, ExchangeOrder } from "../exchange/exchange.ts";
import { ceilingFromDetails } from "./authorization-details.ts";
import { edgeCall, endpoint } from "./edge-call.ts";
import { invalid, parseForm } from "./form.ts";
import { json, oauthError } from "./oauth-error.ts";

const grantType = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";
const method = endpoint("token");

/** `POST /oauth/token`: token exchange (RFC 8693), bound by DPoP (RFC 9449 §5). */
export const tokenEndpoint =
  (gate: Gate, exchange: Exchange, evidence: Evidence, audience: string, now: () => number) =>
  async (request: EdgeRequest): Promise<EdgeResponse> => {
    const { call, headers } = edgeCall(request, method);
    try {
      return await recorded(evidence, "session.start", call, async (story) => {
        const order = parseOrder(parseForm(request), audience);
        const { thumbprint, publicJwk } = await gate.prove(call);
        story.origin = { ...story.origin, thumbprint };
        const { token, expiresAt } = await exchange.exchange(order, { thumbprint, publicJwk }, story.origin);
        const expiresIn = Math.max(0, Number(expiresAt?.seconds ?? 0n) - Math.floor(now() / 1000));
        return json({ access_token: token, issued_token_type: accessTokenType, token_type: "DPoP", expires_in: expiresIn }, 200, headers);
      });
    } catch (error) {
      return oauthError(error, headers);
    }
  };

/** RFC 8693 §2.1. What is asked for and cannot be given exactly is refused, so that no answer is ever more, or other, than asked. */
function parseOrder(form: ReadonlyMap<string, string>, audience: string): ExchangeOrder {
  // RFC 6749 §5.2: absent is malformed, another is unsupported.
  if (form.get("grant_type") !== grantType)
    throw invalid(`The grant_type must be ${grantType}.`, form.has("grant_type") ? "unsupported_grant_type" : "invalid_request");
  if (form.has("actor_token") || form.has("actor_token_type"))
    throw invalid("An agent is started by an enrolment ticket, not by an actor_token.");
  if (form.has("scope"))
    throw invalid("There are no scopes here: say what the credential may do by authorization_details.", "invalid_scope");
  for (const name of ["audience", "resource"]) {
    if ((form.get(name) ?? audience) !== audience) throw invalid(`Credentials are made for ${audience} only.`, "invalid_target");
  }
  if ((form.get("requested_token_type") ?? accessTokenType) !== accessTokenType)
    throw invalid(`The requested_token_type can only be ${accessTokenType}.`);
  const details = form.get("authorization_details");
  const agentName = form.get("agent_name");
  return {
    subjectToken: form.get("subject_token") ?? "",
    subjectTokenType: form.get("subject_token_type") ?? "",
    agentName: agentName === undefined ? undefined : parseAgentName(agentName),
    ceiling: details === undefined ? undefined : ceilingFromDetails(details),
    binding: "dpop",
  };
}
