import { isThumbprint, sha256 } from "@sallyport/identity";
import { invalid } from "../http/form.ts";
import type { Recipient } from "./clients.ts";

/** What an authorization code is asked for (RFC 6749 §4.1.1). */
export interface AuthorizationRequest extends Recipient {
  readonly state: string | undefined;
  /** RFC 7636 §4.2, by S256. */
  readonly challenge: string;
  /** `dpop_jkt` (RFC 9449 §10): the key that the code is for. */
  readonly thumbprint: string;
}

/** The one value of a parameter; undefined where it is absent, empty (RFC 6749 §3.1), or there several times. */
export function onceIn(parameters: URLSearchParams, name: string): string | undefined {
  const values = parameters.getAll(name);
  return values.length === 1 && values[0] !== "" ? values[0] : undefined;
}

/** `state`, which goes back as it came: visible ASCII (RFC 6749, appendix A.5). */
export function stateIn(parameters: URLSearchParams): string | undefined {
  const state = onceIn(parameters, "state");
  return state !== undefined && /^[\x20-\x7e]{1,512}$/.test(state) ? state : undefined;
}

/**
 * What is asked, once it is known who is answered where. What is not understood is passed over (RFC 6749 §3.1).
 * @throws Refusal INVALID_REQUEST with OAuth's error
 */
export function parseAuthorizationRequest(parameters: URLSearchParams, recipient: Recipient): AuthorizationRequest {
  for (const name of new Set(parameters.keys()))
    if (parameters.getAll(name).length > 1) throw invalid("A parameter was sent twice: send each once.");
  const responseType = onceIn(parameters, "response_type");
  if (responseType !== "code")
    throw invalid("The response_type must be code.", responseType === undefined ? "invalid_request" : "unsupported_response_type");
  if ((onceIn(parameters, "response_mode") ?? "query") !== "query") throw invalid("The response_mode can only be query.");
  if (parameters.has("scope"))
    throw invalid(
      "There are no scopes here: say what the credential may do by authorization_details, when it is fetched.",
      "invalid_scope",
    );
  for (const name of ["request", "request_uri", "authorization_details"])
    if (parameters.has(name)) throw invalid(`There is no ${name} here: send the parameters as they are.`);
  const state = stateIn(parameters);
  if (parameters.has("state") && state === undefined) throw invalid("The state must be 1 to 512 characters of ASCII.");
  // RFC 7636 §4.4.1: the plain method would be no proof.
  if (onceIn(parameters, "code_challenge_method") !== "S256") throw invalid("The code_challenge_method must be S256.");
  const challenge = onceIn(parameters, "code_challenge");
  if (challenge === undefined || !isThumbprint(challenge)) throw invalid("The code_challenge is no SHA-256 in base64url (RFC 7636 §4.2).");
  const thumbprint = onceIn(parameters, "dpop_jkt");
  if (thumbprint === undefined || !isThumbprint(thumbprint))
    throw invalid("The dpop_jkt must be the thumbprint of the key (RFC 9449 §10).");
  return { ...recipient, state, challenge, thumbprint };
}

/** As the page's form sends it on. */
export const fieldsOf = ({ client, redirectUri, state, challenge, thumbprint }: AuthorizationRequest): Record<string, string> => ({
  response_type: "code",
  client_id: client,
  redirect_uri: redirectUri,
  ...(state === undefined ? {} : { state }),
  code_challenge: challenge,
  code_challenge_method: "S256",
  dpop_jkt: thumbprint,
});

/** Names the request, for the form's token. */
export const nameOf = (request: AuthorizationRequest): string => sha256(JSON.stringify(Object.entries(fieldsOf(request))));
