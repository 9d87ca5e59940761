import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Call, EdgeResponse } from "@sallyport/service";
import { codeReused } from "../evidence/drafts.ts";
import type { Story } from "../evidence/recorded.ts";
import { invalid } from "../http/form.ts";
import { json } from "../http/oauth-error.ts";
import { type Form, sessionOrderOf } from "../http/session-order.ts";
import type { TokenEndpointParts } from "../http/token-endpoint.ts";
import type { IssuedCredential } from "../sessions/credential-issuer.ts";
import { codeUsed } from "./authorization-codes.ts";
import { codeGrantType, deviceGrantType, type SignInFront } from "./sign-in-front.ts";

/** A person who has not answered yet. */
interface Awaited {
  readonly awaited: "pending" | "slow-down";
}

type Redeem = (parts: TokenEndpointParts, form: Form, call: Call, story: Story) => Promise<IssuedCredential | Awaited>;

/** What every grant here may come with: what is asked of the session, and what can only be as it is. */
const session = [
  "grant_type",
  "client_id",
  "audience",
  "resource",
  "requested_token_type",
  "authorization_details",
  "agent_name",
  "binding",
];

/** RFC 8628 §3.4. Whoever is still awaited is no refusal, and goes into no record. */
const redeemDeviceCode: Redeem = async (parts, form, call, story) => {
  const { front, exchange } = parts;
  const { device_code: code, client_id: client } = required(form, ["device_code", "client_id"]);
  const order = sessionOrderOf(form);
  const holder = await proven(parts, call, story);
  const { devices } = front as SignInFront;
  const polled = await devices.poll(code as string, client as string, holder.thumbprint);
  if (polled.kind !== "approved") return { awaited: polled.kind };
  return exchange.signIn(polled.identity, order, holder, story.origin, () => devices.spend(code as string));
};

/** RFC 6749 §4.1.3, RFC 7636 §4.5. */
const redeemCode: Redeem = async (parts, form, call, story) => {
  const { front, exchange } = parts;
  const names = ["code", "client_id", "redirect_uri", "code_verifier"];
  const { code, client_id: client, redirect_uri: redirectUri, code_verifier: verifier } = required(form, names) as Record<string, string>;
  const order = sessionOrderOf(form);
  const holder = await proven(parts, call, story);
  const end = (sid: string, principal: string) => endSession(parts, sid, principal, story);
  const shown = { code, client, redirectUri, verifier, thumbprint: holder.thumbprint } as Parameters<SignInFront["codes"]["redeemable"]>[0];
  const good = await (front as SignInFront).codes.redeemable(shown, end);
  const issued = await exchange.signIn(good.identity, order, holder, story.origin, () => good.spend());
  // Shown again while its session began: nobody has that one's credential yet, and nobody gets it.
  if (!(await good.settle(issued.sessionId))) {
    await end(issued.sessionId, good.identity.principal);
    throw codeUsed();
  }
  return issued;
};

const grants: Readonly<Record<string, Redeem>> = { [codeGrantType]: redeemCode, [deviceGrantType]: redeemDeviceCode };

/** Where people sign in here. */
export const signInGrantTypes = Object.keys(grants);

/** Undefined for a grant of another kind. */
export const grantOf = (form: Form): Redeem | undefined => {
  const type = form.get("grant_type") ?? "";
  return Object.hasOwn(grants, type) ? grants[type] : undefined;
};

/** RFC 8628 §3.5. */
export const awaitedAnswer = (awaited: Awaited["awaited"], headers: Record<string, string>): EdgeResponse => {
  const pending = { error: "authorization_pending", error_description: "Nobody has answered yet: ask again after the interval." };
  const hasty = { error: "slow_down", error_description: "This is too often: wait five seconds longer each time." };
  return json(awaited === "pending" ? pending : hasty, 400, headers);
};

/** What must be there; what belongs to another grant must not. */
function required(form: Form, names: readonly string[]): Record<string, string> {
  for (const name of form.keys())
    if (!session.includes(name) && !names.includes(name))
      throw invalid("A parameter does not belong to this grant: send only what it needs.");
  const missing = names.find((name) => !form.has(name));
  if (missing !== undefined) throw invalid(`There is no ${missing}.`);
  return Object.fromEntries(names.map((name) => [name, form.get(name) as string]));
}

async function proven({ gate }: TokenEndpointParts, call: Call, story: Story) {
  const { thumbprint, publicJwk } = await gate.prove(call);
  story.origin = { ...story.origin, thumbprint };
  return { thumbprint, publicJwk };
}

/** RFC 6749 §4.1.2: which of the two that showed the code is the thief cannot be known. */
async function endSession({ revocationLog, evidence, clock }: TokenEndpointParts, sid: string, principal: string, { origin }: Story) {
  const intent = await evidence.intent(codeReused(sid, principal, origin));
  await revocationLog.append({ subject: { case: "sessionId", value: sid }, at: timestampFromMs(clock.now()) });
  void revocationLog.readToEnd().catch(() => undefined);
  await intent.outcome(codeReused(sid, principal, origin, { status: "success" }));
}
