import { Refusal } from "@sallyport/contracts";
import type { EdgeResponse } from "@sallyport/service";
import { refusedCall } from "../evidence/drafts.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Story } from "../evidence/recorded.ts";
import { requestErrorKey } from "../http/form.ts";
import { describable } from "../http/oauth-error.ts";
import { sendTo } from "../http/person-pages.ts";
import type { Recipient } from "./clients.ts";
import { signInRuleOf } from "./refusals.ts";

/** Whoever is answered, with what they know their sign-in by. */
export type Answered = Recipient & { readonly state: string | undefined };

/** RFC 6749 §4.1.2, RFC 9207 §2: the answer, with the name of whoever gives it. */
export function answerClient({ redirectUri, state }: Answered, audience: string, answer: Record<string, string>): EdgeResponse {
  const back = new URL(redirectUri);
  for (const [name, value] of Object.entries({ ...answer, ...(state === undefined ? {} : { state }), iss: audience }))
    back.searchParams.append(name, value);
  return sendTo(back.href, 303);
}

/** RFC 6749 §4.1.2.1: the client is told, after it is on record. @throws what is no refusal */
export async function refuseClient(
  to: Answered,
  audience: string,
  error: unknown,
  evidence: Evidence,
  story: Story,
): Promise<EdgeResponse> {
  if (!(error instanceof Refusal)) throw error;
  await evidence.refusal(refusedCall("session.sign-in", error, story));
  return answerClient(to, audience, { error: errorOf(error), error_description: describable(error.message) });
}

function errorOf(refusal: Refusal): string {
  const rule = signInRuleOf(refusal);
  if (rule === "denied" || rule === "denied-there") return "access_denied";
  const known = refusal.metadata[requestErrorKey];
  if (known !== undefined) return known;
  if (refusal.reason === "RATE_LIMITED" || refusal.reason === "TARGET_UNAVAILABLE") return "temporarily_unavailable";
  return refusal.reason === "INVALID_REQUEST" ? "invalid_request" : "server_error";
}
