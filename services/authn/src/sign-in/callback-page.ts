import { Refusal } from "@sallyport/contracts";
import type { EdgeResponse } from "@sallyport/service";
import { signInAccepted } from "../evidence/drafts.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Story } from "../evidence/recorded.ts";
import type { ProvenPerson } from "../trust/kept-identity.ts";
import { answerClient, refuseClient } from "./answer-client.ts";
import { answered } from "./answered.ts";
import { signedInPage } from "./ask-page.ts";
import { signInRuleOf } from "./refusals.ts";
import type { Purpose } from "./sign-in-attempts.ts";
import type { SignInDoors, SignInFront } from "./sign-in-front.ts";
import type { SignInProvider } from "./sign-in-provider.ts";

/** `GET /oauth/callback/<provider>`: where an identity provider sends the browser back to (RFC 6749 §4.1.2). */
export const callbackPage = ({ front, evidence }: SignInDoors, name: string) =>
  answered(evidence, "callback", async (request, story) => {
    const states = request.query.getAll("state");
    const browser = front.browsers.known(request);
    const { attempt, secrets } = await front.attempts.finish(states.length === 1 ? states[0] : undefined, name, browser.id);
    const { purpose } = attempt;
    story.origin = { ...story.origin, thumbprint: purpose.thumbprint };
    try {
      const person = await (front.providers.get(name) as SignInProvider).finish(request.query, secrets, purpose);
      // On record before it is worth something.
      await evidence.record(signInAccepted(person, purpose.kind, story.origin));
      return await succeed(front, purpose, person);
    } catch (error) {
      return fail(front, purpose, error, evidence, story);
    }
  });

async function succeed(front: SignInFront, purpose: Purpose, person: ProvenPerson): Promise<EdgeResponse> {
  if (purpose.kind === "code") return answerClient(purpose, front.audience, { code: await front.codes.make(purpose, person) });
  await front.devices.approve(purpose.grant, person);
  return signedInPage(person.principal);
}

/** A client that waits is told. Of a device only that somebody said no, be it at the identity provider: anything else they may try again. */
async function fail(front: SignInFront, purpose: Purpose, error: unknown, evidence: Evidence, story: Story): Promise<EdgeResponse> {
  if (purpose.kind === "code" && error instanceof Refusal) return refuseClient(purpose, front.audience, error, evidence, story);
  if (purpose.kind === "device" && signInRuleOf(error) === "denied-there") await front.devices.deny(purpose.grant);
  throw error;
}
