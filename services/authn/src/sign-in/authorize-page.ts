import { keyCode } from "@sallyport/identity";
import { commandLineClient, type EdgeResponse } from "@sallyport/service";
import type { Story } from "../evidence/recorded.ts";
import { parseForm } from "../http/form.ts";
import { sendTo } from "../http/person-pages.ts";
import { refuseClient } from "./answer-client.ts";
import { answered, withCookie } from "./answered.ts";
import { askPage, parseAnswer } from "./ask-page.ts";
import { type AuthorizationRequest, fieldsOf, nameOf, onceIn, parseAuthorizationRequest, stateIn } from "./authorization-request.ts";
import { deniedHere, isForged } from "./refusals.ts";
import type { SignInDoors } from "./sign-in-front.ts";

export const authorizePath = "/oauth/authorize";

/** The authorization endpoint (RFC 6749 §3.1, §4.1.1): `GET` asks the person, `POST` is the answer. */
export const authorizePage = (doors: SignInDoors) => ({
  ask: answered(doors.evidence, "authorize", (request, story) =>
    withRequest(doors, request.query, story, async (asked) => {
      const { front } = doors;
      const browser = front.browsers.of(request);
      const page = askPage({
        action: authorizePath,
        hidden: { ...fieldsOf(asked), form: browser.formToken(aboutOf(asked)) },
        code: keyCode(asked.thumbprint),
        client: asked.client,
        whence: whenceOf(asked),
        providers: [...front.providers.keys()],
      });
      return withCookie(page, browser.setCookie);
    }),
  ),

  answer: answered(doors.evidence, "authorize", (request, story) => {
    const form = parseForm(request);
    return withRequest(doors, new URLSearchParams([...form]), story, async (asked) => {
      const { front } = doors;
      const browser = front.browsers.sending(request, aboutOf(asked), form.get("form"));
      const provider = parseAnswer(form, front);
      if (provider === "no") throw deniedHere();
      await front.limits.count("attempts", request.address);
      const secrets = await front.attempts.begin({ provider: provider.name, browser: browser.id, purpose: { kind: "code", ...asked } });
      return withCookie(sendTo(await provider.begin(secrets, asked), 303), browser.setCookie);
    });
  }),
});

const aboutOf = (request: AuthorizationRequest) => `authorize ${nameOf(request)}`;

const whenceOf = ({ client, redirectUri }: AuthorizationRequest) =>
  client === commandLineClient ? "It waits on the machine of this browser." : `It is answered at ${new URL(redirectUri).origin}.`;

/** Who is to be answered and where comes first: only then is anybody sent there. */
async function withRequest(
  { front, evidence }: SignInDoors,
  parameters: URLSearchParams,
  story: Story,
  serve: (request: AuthorizationRequest) => Promise<EdgeResponse>,
): Promise<EdgeResponse> {
  const recipient = front.clients.recipient(onceIn(parameters, "client_id"), onceIn(parameters, "redirect_uri"));
  try {
    const request = parseAuthorizationRequest(parameters, recipient);
    story.origin = { ...story.origin, thumbprint: request.thumbprint };
    return await serve(request);
  } catch (error) {
    // By another site's hand nobody is sent anywhere, not even with an error.
    if (isForged(error)) throw error;
    return refuseClient({ ...recipient, state: stateIn(parameters) }, front.audience, error, evidence, story);
  }
}
