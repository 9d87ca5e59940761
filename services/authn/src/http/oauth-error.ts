import { type Reason, Refusal, reasons } from "@sallyport/contracts";
import type { EdgeResponse } from "@sallyport/service";
import { requestErrorKey } from "./form.ts";

/** OAuth's own words for what refusals mean (RFC 6749 §5.2, RFC 8693 §2.2.2, RFC 9396 §5, RFC 9449 §5 and §8). */
const errors: Partial<Record<Reason, { error: string; status: number }>> = {
  // RFC 8693 §2.2.2: a subject token that is not acceptable, for whatever reason, makes the request invalid.
  UNAUTHENTICATED: { error: "invalid_request", status: 400 },
  INVALID_REQUEST: { error: "invalid_request", status: 400 },
  TOO_LARGE: { error: "invalid_request", status: 413 },
  PROOF_REQUIRED: { error: "use_dpop_nonce", status: 400 },
  PROOF_INVALID: { error: "invalid_dpop_proof", status: 400 },
  RATE_LIMITED: { error: "temporarily_unavailable", status: 429 },
  DENIED_BY_POLICY: { error: "access_denied", status: 403 },
  CREDENTIAL_EXPIRED: { error: "invalid_token", status: 401 },
  CREDENTIAL_REVOKED: { error: "invalid_token", status: 401 },
};

/** A refusal of the token endpoint (RFC 6749 §5.2). `reason` is Sallyport's own, the same on every transport. @throws what is no refusal */
export function oauthError(error: unknown, headers: Record<string, string>): EdgeResponse {
  if (!(error instanceof Refusal)) throw error;
  const status = reasons[error.reason].http;
  const known = errors[error.reason] ?? { error: status >= 500 ? "temporarily_unavailable" : "invalid_request", status };
  // Only ours have it: a form's values go into no metadata.
  return refusedWith({ ...known, error: error.metadata[requestErrorKey] ?? known.error }, error, headers);
}

/** A refusal of an endpoint that asks for a credential: what is wrong with that is a 401 with a challenge (RFC 9449 §7.1 and §9). */
export function protectedError(error: unknown, headers: Record<string, string>): EdgeResponse {
  if (!(error instanceof Refusal) || reasons[error.reason].http !== 401) return oauthError(error, headers);
  const known = { error: errors[error.reason]?.error ?? "invalid_token", status: 401 };
  if (error.reason === "UNAUTHENTICATED") known.error = "invalid_token";
  return refusedWith(known, error, { ...headers, "www-authenticate": `DPoP error="${known.error}", algs="ES256 EdDSA"` });
}

function refusedWith(known: { error: string; status: number }, refusal: Refusal, headers: Record<string, string>): EdgeResponse {
  const retryAfter = refusal.retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(refusal.retryAfterMs / 1000)) };
  const body = { error: known.error, error_description: describable(refusal.message), reason: refusal.reason };
  return json(body, known.status, { ...headers, ...retryAfter });
}

/** RFC 6749 §5.1: no answer of these endpoints is to be kept. */
export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): EdgeResponse => ({
  status,
  headers: { "content-type": "application/json", "cache-control": "no-store", pragma: "no-cache", ...headers },
  body: JSON.stringify(body),
});

/** RFC 6749 §5.2: `%x20-21 / %x23-5B / %x5D-7E` only. */
export const describable = (text: string) => text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, "?");
