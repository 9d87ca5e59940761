import type { EdgeRequest } from "@sallyport/service";
import { hostOf } from "../http/address-limit.ts";
import { parseForm } from "../http/form.ts";
import { sendTo } from "../http/person-pages.ts";
import { answered, withCookie } from "./answered.ts";
import { askPage, enterCodePage, parseAnswer } from "./ask-page.ts";
import { noSuchCode, type OpenGrant } from "./device-codes.ts";
import { deniedHere } from "./refusals.ts";
import type { SignInDoors, SignInFront } from "./sign-in-front.ts";
import { parseUserCode } from "./user-code.ts";

export const devicePath = "/oauth/device";

/** The page where a person answers for a device code (RFC 8628 §3.3): `GET` shows what asks, `POST` is the answer. */
export const devicePage = ({ front, evidence }: SignInDoors) => ({
  ask: answered(evidence, "device", async (request) => {
    if (!request.query.has("user_code")) return enterCodePage();
    const { code, grant } = await entered(front, request.query.getAll("user_code"), request);
    const browser = front.browsers.of(request);
    const hidden = { user_code: code, form: browser.formToken(aboutOf(code)) };
    const { client } = grant;
    const page = askPage({ action: devicePath, hidden, code, client, whence: whenceOf(grant), providers: [...front.providers.keys()] });
    return withCookie(page, browser.setCookie);
  }),

  answer: answered(evidence, "device", async (request, story) => {
    const form = parseForm(request);
    const typed = form.get("user_code") ?? "";
    // Before the code is looked at: what does not come from our own page learns nothing of it.
    const browser = front.browsers.sending(request, aboutOf(typed), form.get("form"));
    const { grant } = await entered(front, [typed], request);
    story.origin = { ...story.origin, thumbprint: grant.thumbprint };
    const provider = parseAnswer(form, front);
    if (provider === "no") {
      await front.devices.deny(grant.id);
      throw deniedHere();
    }
    await front.limits.count("attempts", request.address);
    const purpose = { kind: "device", grant: grant.id, thumbprint: grant.thumbprint } as const;
    const secrets = await front.attempts.begin({ provider: provider.name, browser: browser.id, purpose });
    return withCookie(sendTo(await provider.begin(secrets, grant), 303), browser.setCookie);
  }),
});

const whenceOf = ({ address, begunAt }: OpenGrant) =>
  `It was asked for from ${hostOf(address)} at ${new Date(begunAt).toISOString().slice(11, 16)} UTC.`;

const aboutOf = (code: string) => `device ${code}`;

/** Wrong codes are counted, so that none is found by trying (§5.1). */
async function entered(
  { devices, limits }: SignInFront,
  typed: readonly string[],
  { address }: EdgeRequest,
): Promise<{ code: string; grant: OpenGrant }> {
  const [one = ""] = typed;
  await limits.count("wrong-user-codes", address);
  const code = typed.length === 1 ? parseUserCode(one) : undefined;
  if (code === undefined) throw noSuchCode();
  const grant = await devices.open(code);
  await limits.forgive("wrong-user-codes", address);
  return { code, grant };
}
