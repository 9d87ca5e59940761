import { printable, Refusal } from "@sallyport/contracts";
import type { ProofMaker } from "@sallyport/sdk";
import type { Front } from "./front.ts";

const answerMs = 15_000;

/** An answer of authn's endpoints: as asked for, or OAuth's error (RFC 6749 §5). */
export type Answer =
  | { readonly kind: "ok"; readonly body: Record<string, unknown> }
  | { readonly kind: "error"; readonly error: string; readonly says: string };

/**
 * A form, proven by the key (RFC 9449): sent to the front, for the endpoint's own name. The first answer may give a nonce, with which it is
 * sent again.
 * @throws Refusal TARGET_UNAVAILABLE
 */
export async function ask(front: Front, endpoint: string, form: Record<string, string>, key: ProofMaker): Promise<Answer> {
  const body = new URLSearchParams(form).toString();
  const at = `${front.url}${new URL(endpoint).pathname}`;
  const send = async () => {
    const dpop = key.prove({ htu: endpoint, request: Buffer.from(body), peer: front.url });
    const headers = { "content-type": "application/x-www-form-urlencoded", dpop };
    const response = await fetch(at, { method: "POST", body, headers, redirect: "error", signal: AbortSignal.timeout(answerMs) });
    const nonce = response.headers.get("dpop-nonce");
    if (nonce !== null) key.remember(nonce, front.url);
    return { ok: response.ok, body: (await response.json()) as Record<string, unknown> };
  };
  try {
    let answer = await send();
    if (!answer.ok && answer.body.error === "use_dpop_nonce") answer = await send();
    if (answer.ok) return { kind: "ok", body: answer.body };
    const { error, error_description: says } = answer.body;
    return { kind: "error", error: printable(String(error), 60), says: printable(String(says ?? ""), 300) };
  } catch (cause) {
    throw new Refusal("TARGET_UNAVAILABLE", `${front.url} does not answer; check its address and the network.`, { cause });
  }
}

/** @throws Refusal UNAUTHENTICATED, RATE_LIMITED for whatever else */
export function answered(answer: Answer): Record<string, unknown> {
  if (answer.kind === "ok") return answer.body;
  const reason = answer.error === "temporarily_unavailable" ? "RATE_LIMITED" : "UNAUTHENTICATED";
  throw new Refusal(reason, `Nobody was signed in (${answer.error}): ${answer.says}`);
}
