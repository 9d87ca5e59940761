import { Refusal } from "@sallyport/contracts";
import type { EdgeRequest } from "@sallyport/service";

/**
 * The parameters of an OAuth request (RFC 6749 §3.2). One that comes twice, or is empty, is refused: neither may be read as
 * the value that grants more.
 */
export function parseForm({ headers, body, query }: EdgeRequest): ReadonlyMap<string, string> {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(headers.get("content-type") ?? "")) {
    throw invalid("Send the parameters as application/x-www-form-urlencoded.");
  }
  // RFC 6749 §2.3.1: never in the URL, which is logged along the way.
  if ([...query.keys()].length > 0) throw invalid("Send the parameters in the body, not in the URL.");
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(decode(body))) {
    if (parameters.has(name)) throw invalid("A parameter was sent twice: send each once.");
    if (value === "") throw invalid("A parameter is empty: leave it out, or say what is meant.");
    parameters.set(name, value);
  }
  return parameters;
}

/** Where OAuth has a word of its own for what is wrong with a request, it is that which is answered. */
export type RequestError =
  | "invalid_request"
  | "unsupported_grant_type"
  | "unsupported_response_type"
  | "invalid_scope"
  | "invalid_target"
  | "invalid_grant"
  | "invalid_client"
  | "access_denied"
  | "expired_token"
  | "invalid_authorization_details";

/** In a refusal's metadata: OAuth's word for it. */
export const requestErrorKey = "oauth_error";

export const invalid = (sentence: string, error: RequestError = "invalid_request") =>
  new Refusal("INVALID_REQUEST", sentence, { metadata: { [requestErrorKey]: error } });

function decode(body: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    // URLSearchParams would put a replacement for what is no UTF-8, and leave a broken escape as it is.
    decodeURIComponent(text);
    return text;
  } catch {
    throw invalid("The parameters are not UTF-8.");
  }
}
