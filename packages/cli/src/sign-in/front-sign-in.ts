import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CredentialSchema, printable, Refusal } from "@sallyport/contracts";
import { actionName, keyCode, sha256 } from "@sallyport/identity";
import { type CeilingInit, type Endpoints, ProofMaker, Session } from "@sallyport/sdk";
import { note } from "../output/print.ts";
import { type Front, frontClient } from "./front.ts";
import { answered, ask } from "./front-request.ts";
import { LoopbackRedirect } from "./loopback-redirect.ts";
import { canShowBrowser, openBrowser } from "./open-browser.ts";
import type { SignInWay } from "./sign-in.ts";

/** Milliseconds that a person has to sign in by a browser here. */
const signInMs = 5 * 60_000;

/** What the session is asked to be. */
export interface FrontOrder {
  readonly way: SignInWay;
  readonly agentName: string | undefined;
  readonly ceiling: CeilingInit | undefined;
}

/**
 * Signs in at authn's own page, whatever identity provider the person is of there: by a browser on this machine where one can be shown, else
 * by a code that is entered anywhere. The session is bound to a new key, which both show from the beginning.
 * @throws Refusal UNAUTHENTICATED, CANCELLED, TARGET_UNAVAILABLE
 */
export async function signInAtFront(front: Front, endpoints: Endpoints, order: FrontOrder): Promise<Session> {
  const key = ProofMaker.generate();
  const way = order.way ?? (canShowBrowser() ? "browser" : "device");
  const asked = { client_id: frontClient, ...termsOf(order) };
  const { access_token: token, expires_in: seconds } =
    way === "browser" ? await byBrowser(front, key, asked) : await byDevice(front, key, asked);
  const expiresAt = timestampFromMs(Date.now() + Number(seconds) * 1000);
  const session = new Session(endpoints, key, create(CredentialSchema, { token: String(token), expiresAt }));
  try {
    // What it says, in the words of the contract.
    session.adopt((await session.tokens.renew({})).credential);
    return session;
  } catch (error) {
    session.close();
    throw error;
  }
}

/** RFC 9396 §2: what the session may do at most. */
function termsOf({ agentName, ceiling }: FrontOrder): Record<string, string> {
  const details = ceiling?.entries?.map(({ actions = [], secrets = [], targets = [] }) => ({
    type: "sallyport",
    actions: actions.map(actionName),
    secrets,
    targets,
  }));
  return {
    ...(agentName === undefined ? {} : { agent_name: agentName }),
    ...(details === undefined ? {} : { authorization_details: JSON.stringify(details) }),
  };
}

/** RFC 6749 §4.1 with PKCE (RFC 7636), for this key (RFC 9449 §10), by a loopback redirect (RFC 8252 §7.3). */
async function byBrowser(front: Front, key: ProofMaker, asked: Record<string, string>): Promise<Record<string, unknown>> {
  const redirect = await LoopbackRedirect.open();
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new Refusal("CANCELLED", "Nobody signed in in time: run the command again, or use --device.")),
    signInMs,
  );
  try {
    const [state, verifier] = [randomBytes(16).toString("base64url"), randomBytes(32).toString("base64url")];
    const url = new URL(front.authorizationEndpoint);
    const parameters = {
      response_type: "code",
      client_id: frontClient,
      redirect_uri: redirect.uri,
      state,
      code_challenge: sha256(verifier),
      code_challenge_method: "S256",
      dpop_jkt: key.thumbprint,
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    note(`The page shows the code ${keyCode(key.thumbprint)}. Go on only where it is the same.`);
    note(`Sign in here, with a browser on this machine: ${url.href}`);
    if (canShowBrowser()) openBrowser(url.href);
    const code = codeOf((await redirect.response(state, late.signal)).searchParams, front.audience);
    const form = { grant_type: "authorization_code", code, redirect_uri: redirect.uri, code_verifier: verifier, ...asked };
    return answered(await ask(front, front.tokenEndpoint, form, key));
  } finally {
    clearTimeout(timer);
    redirect.close();
  }
}

/** RFC 9207 §2.4: the answer is that of the installation which was asked. */
function codeOf(answer: URLSearchParams, audience: string): string {
  const one = (name: string) => (answer.getAll(name).length === 1 ? (answer.get(name) as string) : undefined);
  const [code, error] = [one("code"), one("error")];
  if (one("iss") !== audience || (code === undefined) === (error === undefined))
    throw new Refusal("UNAUTHENTICATED", "What came back is no answer of this installation: check --audience, and sign in again.");
  if (code !== undefined) return code;
  throw new Refusal(
    "UNAUTHENTICATED",
    `Nobody was signed in (${printable(error ?? "", 60)}): ${printable(one("error_description") ?? "", 300)}`,
  );
}

/** RFC 8628. */
async function byDevice(front: Front, key: ProofMaker, asked: Record<string, string>): Promise<Record<string, unknown>> {
  const device = answered(await ask(front, front.deviceEndpoint, { client_id: frontClient }, key));
  note(`Open ${printable(String(device.verification_uri), 300)} and enter the code ${printable(String(device.user_code), 40)}`);
  note(`or open ${printable(String(device.verification_uri_complete), 500)}`);
  note(`The code is good for ${Math.round(Number(device.expires_in) / 60)} min. Enter only a code that you asked for yourself.`);
  const form = { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: String(device.device_code), ...asked };
  const end = Date.now() + Number(device.expires_in) * 1000;
  for (let seconds = Number(device.interval ?? 5); Date.now() < end; ) {
    await delay(seconds * 1000);
    const answer = await ask(front, front.tokenEndpoint, form, key);
    // §3.5
    if (answer.kind === "error" && answer.error === "slow_down") seconds += 5;
    else if (answer.kind === "ok" || answer.error !== "authorization_pending") return answered(answer);
  }
  throw new Refusal("CANCELLED", "Nobody signed in in time: run the command again.");
}
