import type { Refusal } from "@sallyport/contracts";
import { isThumbprint } from "@sallyport/identity";
import type { EdgeListener, EdgeRequest, EdgeResponse } from "@sallyport/service";
import { samlAccepted } from "../../evidence/drafts.ts";
import type { Evidence } from "../../evidence/evidence.ts";
import type { AddressLimit } from "../../http/address-limit.ts";
import { answeredByPage } from "../../http/answered-by-page.ts";
import { invalid } from "../../http/form.ts";
import { isOpaqueValue } from "../../http/opaque-value.ts";
import { refusedPage, sendTo } from "../../http/person-pages.ts";
import { callbackPath } from "../../sign-in/sign-in-provider.ts";
import { beginPage, codePage, declinedPage } from "./saml-pages.ts";
import { declined, isDeclined, ruleOf } from "./saml-refusals.ts";
import type { Accepted, SamlSignIn } from "./saml-sign-in.ts";
import { frontPort, type Waiting } from "./sign-in-request.ts";

/** Under `/saml/<name>/`: `metadata`, `login` where the command line sends a browser and the person says yes, and `acs` where the identity provider does. */
export function registerSaml(
  edge: EdgeListener,
  signIns: readonly SamlSignIn[],
  { evidence, audience, limit }: { evidence: Evidence; audience: string; limit: AddressLimit },
): void {
  for (const signIn of signIns) {
    const base = `/saml/${signIn.provider.name}`;
    edge
      .route("GET", `${base}/metadata`, async () => ({
        status: 200,
        headers: { "content-type": "application/samlmetadata+xml" },
        body: signIn.metadata(),
      }))
      .route("GET", `${base}/login`, loginPage(signIn, evidence))
      .route("POST", `${base}/login`, loginEndpoint(signIn, evidence, audience))
      .route("POST", `${base}/acs`, acsEndpoint(signIn, evidence, audience, limit));
  }
}

const loginPage = (signIn: SamlSignIn, evidence: Evidence) => (request: EdgeRequest) =>
  answered(evidence, "saml-login", request, async () => {
    const { thumbprint } = parseWaiting(request.query);
    signIn.assertBegunHere();
    return beginPage(thumbprint);
  });

const loginEndpoint = (signIn: SamlSignIn, evidence: Evidence, audience: string) => (request: EdgeRequest) =>
  answered(
    evidence,
    "saml-login",
    request,
    async () => {
      assertFromOwnPage(request, signIn);
      const waiting = parseWaiting(request.query);
      if (parseAnswer(request) === "no") throw declined();
      return sendTo(await signIn.begin(waiting), 303);
    },
    // RFC 6749 §4.1.2.1, as an issuer says it.
    (refusal) => declinedPage(refusal, backTo(parseWaiting(request.query), audience, { error: "access_denied" })),
  );

/** The person's yes is given on our page: a form that another page sends by itself comes with that page's `Origin` (RFC 6454 §7). */
function assertFromOwnPage({ headers }: EdgeRequest, { provider }: SamlSignIn): void {
  const { origin } = new URL(provider.acs);
  if (headers.get("origin") !== origin)
    throw invalid(`Begin at the command line, sallyport login --saml, and go on at the page of ${origin}.`);
}

const acsEndpoint = (signIn: SamlSignIn, evidence: Evidence, audience: string, limit: AddressLimit) => (request: EdgeRequest) =>
  answered(evidence, "saml-acs", request, async (story) => {
    limit.count(request.address);
    const accepted = await signIn.accept(parseResponseField(request));
    await evidence.record(samlAccepted(signIn.provider.name, accepted.verified, story.origin));
    return handOver(signIn, accepted, audience);
  });

/** A refusal is on record, and tells the person in a sentence and the rule's name. @param onDeclined shows the person's own no */
const answered = (
  evidence: Evidence,
  name: string,
  request: EdgeRequest,
  serve: Parameters<typeof answeredByPage>[2],
  onDeclined?: (refusal: Refusal) => EdgeResponse,
): Promise<EdgeResponse> =>
  answeredByPage({ evidence, attempt: "session.saml", name }, request, serve, (refusal) =>
    onDeclined !== undefined && isDeclined(refusal) ? onDeclined(refusal) : refusedPage(refusal, ruleOf(refusal)),
  );

/** To the command line that waits on the person's own machine, or our own front; where none does, the code is for the person to hand over. */
function handOver({ provider }: SamlSignIn, { code, waiting }: Accepted, audience: string): EdgeResponse {
  if (waiting === undefined) return codePage(code);
  const front = new URL(callbackPath(provider.name), provider.acs).href;
  return sendTo(backTo(waiting, audience, { code }, waiting.port === frontPort ? front : undefined), 303);
}

/** Where a command line waits for its answer, which names its sign-in and this installation (RFC 9207). */
function backTo(
  { port, state }: Waiting,
  audience: string,
  answer: Record<string, string>,
  to = `http://127.0.0.1:${port}/callback`,
): string {
  const back = new URL(to);
  for (const [name, value] of Object.entries({ ...answer, state, iss: audience })) back.searchParams.set(name, value);
  return back.href;
}

function parseWaiting(query: URLSearchParams): Waiting {
  const once = (name: string): string => {
    const values = query.getAll(name);
    if (values.length !== 1)
      throw invalid("Begin at the command line: sallyport login --saml. This address has to have one jkt, one state and one port.");
    return values[0] as string;
  };
  const [thumbprint, state, port] = [once("jkt"), once("state"), once("port")];
  if (!isThumbprint(thumbprint)) throw invalid("The jkt is no thumbprint of a key (RFC 7638).");
  if (!isOpaqueValue(state)) throw invalid("The state is not 16 random bytes in base64url.");
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65535) throw invalid("The port is none.");
  return { thumbprint, state, port: Number(port) };
}

/** Which of the page's two buttons sent the form. What is no clear yes begins nothing. */
function parseAnswer(request: EdgeRequest): "yes" | "no" {
  const answers = parseForm(request).getAll("answer");
  const [answer] = answers;
  if (answers.length !== 1 || (answer !== "yes" && answer !== "no")) throw invalid("Answer by one of the page's two buttons.");
  return answer;
}

/** Bindings §3.5.4. `RelayState` is not read: which request it answers is what the assertion says. */
function parseResponseField(request: EdgeRequest): string {
  const fields = parseForm(request).getAll("SAMLResponse");
  if ([...request.query.keys()].length > 0 || fields.length !== 1)
    throw invalid("Post exactly one SAMLResponse, and nothing in the address.");
  return fields[0] as string;
}

function parseForm({ headers, body }: EdgeRequest): URLSearchParams {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(headers.get("content-type") ?? ""))
    throw invalid("Post it as a form, application/x-www-form-urlencoded.");
  return new URLSearchParams(Buffer.from(body).toString("latin1"));
}
