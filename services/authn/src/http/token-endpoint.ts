import type { Call, EdgeRequest, EdgeResponse, Gate } from "@sallyport/service";
import type { Evidence } from "../evidence/evidence.ts";
import { recorded, type Story } from "../evidence/recorded.ts";
import type { Exchange, ExchangeOrder } from "../exchange/exchange.ts";
import type { RevocationLog } from "../revocation/revocation-log.ts";
import type { IssuedCredential } from "../sessions/credential-issuer.ts";
import type { Renewal } from "../sessions/renewal.ts";
import type { SignInFront } from "../sign-in/sign-in-front.ts";
import { awaitedAnswer, grantOf, signInGrantTypes } from "../sign-in/sign-in-grants.ts";
import { protocolOf } from "../trust/outside-identities.ts";
import { edgeCall, endpoint } from "./edge-call.ts";
import { invalid, parseForm } from "./form.ts";
import { json, oauthError } from "./oauth-error.ts";
import { ceilingOf, type Form, sessionOrderOf } from "./session-order.ts";

const exchangeGrantType = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";
const method = endpoint("token");

export interface TokenEndpointParts {
  readonly gate: Gate;
  readonly exchange: Exchange;
  readonly renewal: Renewal;
  readonly evidence: Evidence;
  readonly revocationLog: RevocationLog;
  readonly audience: string;
  readonly clock: { now(): number };
  /** Undefined where nobody signs in at authn itself. */
  readonly front: SignInFront | undefined;
}

/**
 * `POST /oauth/token`: token exchange (RFC 8693), and codes of a sign-in here (RFC 6749 §4.1.3, RFC 8628 §3.4); proven by DPoP (RFC 9449 §5). An outside token begins a session; a credential of
 * ours (`subject_token_type` `…:access_token`) is renewed. The answer is bound to the proof's key, or with `binding=mtls` to a
 * client certificate for it, which comes along (RFC 8705 §3).
 */
export const tokenEndpoint =
  (parts: TokenEndpointParts) =>
  async (request: EdgeRequest): Promise<EdgeResponse> => {
    const { call, headers } = edgeCall(request, method);
    try {
      const form = readForm(request);
      const renews = form.kind === "read" && form.parameters.get("subject_token_type") === accessTokenType;
      const issued = await recorded(parts.evidence, renews ? "session.renew" : "session.start", call, async (story) => {
        if (form.kind === "refused") throw form.refusal;
        const { parameters } = form;
        checkForm(parameters, parts);
        const redeem = grantOf(parameters);
        if (redeem !== undefined) return redeem(parts, parameters, call, story);
        return renews ? renew(parts, parameters, call, story) : begin(parts, parameters, call, story);
      });
      return "awaited" in issued ? awaitedAnswer(issued.awaited, headers) : json(answerOf(issued, parts.clock.now()), 200, headers);
    } catch (error) {
      return oauthError(error, headers);
    }
  };

async function begin({ gate, exchange }: TokenEndpointParts, form: Form, call: Call, story: Story): Promise<IssuedCredential> {
  story.protocol = protocolOf(form.get("subject_token_type") ?? "");
  const order = orderOf(form);
  const { thumbprint, publicJwk } = await gate.prove(call);
  story.origin = { ...story.origin, thumbprint };
  return exchange.exchange(order, { thumbprint, publicJwk }, story.origin);
}

async function renew({ gate, renewal }: TokenEndpointParts, form: Form, call: Call, story: Story): Promise<IssuedCredential> {
  for (const name of ["agent_name", "binding"])
    if (form.has(name)) throw invalid(`A credential is renewed as it is: leave out ${name}, or sign in anew.`);
  const token = form.get("subject_token");
  if (token === undefined) throw invalid("There is no subject_token: send the credential to renew.");
  const caller = await gate.authenticateForRenewal(call, token);
  story.chain = caller.chain;
  story.origin = { ...story.origin, thumbprint: caller.key };
  return renewal.renew(caller.sid, ceilingOf(form), caller.key, story.origin);
}

/** RFC 8693 §2.2.1. A certificate-bound token is shown as Bearer, on a connection that shows the certificate (RFC 8705 §3). */
function answerOf({ token, expiresAt, certificateChainPem = "" }: IssuedCredential, now: number) {
  const expiresIn = Math.max(0, Number(expiresAt?.seconds ?? 0n) - Math.floor(now / 1000));
  const common = { access_token: token, issued_token_type: accessTokenType, expires_in: expiresIn };
  return certificateChainPem === ""
    ? { ...common, token_type: "DPoP" }
    : { ...common, token_type: "Bearer", certificate_chain: certificateChainPem };
}

/** So that a form which cannot be read is refused on record, too. */
function readForm(request: EdgeRequest): { kind: "read"; parameters: Form } | { kind: "refused"; refusal: unknown } {
  try {
    return { kind: "read", parameters: parseForm(request) };
  } catch (refusal) {
    return { kind: "refused", refusal };
  }
}

/** RFC 8693 §2.1. What is asked for and cannot be given exactly is refused, so that no answer is ever more, or other, than asked. */
function checkForm(form: Form, { audience, front }: TokenEndpointParts): void {
  const grantTypes = [exchangeGrantType, ...(front === undefined ? [] : signInGrantTypes)];
  // RFC 6749 §5.2: absent is malformed, another is unsupported.
  if (!grantTypes.includes(form.get("grant_type") ?? ""))
    throw invalid(
      `The grant_type must be ${grantTypes.join(" or ")}.`,
      form.has("grant_type") ? "unsupported_grant_type" : "invalid_request",
    );
  if (form.has("actor_token") || form.has("actor_token_type"))
    throw invalid("An agent is started by an enrolment ticket, not by an actor_token.");
  if (form.has("scope"))
    throw invalid("There are no scopes here: say what the credential may do by authorization_details.", "invalid_scope");
  for (const name of ["audience", "resource"]) {
    if ((form.get(name) ?? audience) !== audience) throw invalid(`Credentials are made for ${audience} only.`, "invalid_target");
  }
  if ((form.get("requested_token_type") ?? accessTokenType) !== accessTokenType)
    throw invalid(`The requested_token_type can only be ${accessTokenType}.`);
}

const orderOf = (form: Form): ExchangeOrder => ({
  ...sessionOrderOf(form),
  subjectToken: form.get("subject_token") ?? "",
  subjectTokenType: form.get("subject_token_type") ?? "",
});
