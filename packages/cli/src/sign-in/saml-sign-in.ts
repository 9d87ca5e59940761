import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { printable, Refusal } from "@sallyport/contracts";
import { keyCode } from "@sallyport/identity";
import type { ProofMaker } from "@sallyport/sdk";
import { note } from "../output/print.ts";
import { isLoopback } from "./issuer-client.ts";
import { LoopbackRedirect } from "./loopback-redirect.ts";
import { canShowBrowser, openBrowser } from "./open-browser.ts";

/** Milliseconds that a person has to sign in. */
const signInMs = 5 * 60_000;

/** Where authn begins a SAML sign-in: an address that is given, or that of a provider's name in the configuration. @throws Refusal INVALID_REQUEST */
export async function samlLoginUrl(named: string, file = "sallyport.yaml"): Promise<URL> {
  const url = /^https?:/.test(named) ? URL.parse(named) : await configuredUrl(named, file);
  if (url !== null && (url.protocol === "https:" || isLoopback(url)) && /\/saml\/[a-z0-9-]{1,32}\/login$/.test(url.pathname)) return url;
  throw new Refusal("INVALID_REQUEST", `"${printable(named, 100)}" is no SAML sign-in: write https://HOST/saml/NAME/login.`);
}

async function configuredUrl(name: string, file: string): Promise<URL> {
  if (!existsSync(file))
    throw new Refusal(
      "INVALID_REQUEST",
      "Say where: --saml https://HOST/saml/NAME/login, or -c sallyport.yaml of an installation on this machine.",
    );
  const { loadConfig } = await import("@sallyport/service");
  const providers = (await loadConfig(file)).trust.saml.filter(({ spInitiated }) => spInitiated);
  const provider = providers.find((one) => one.name === name);
  if (provider !== undefined) return new URL(provider.acs.replace(/\/acs$/, "/login"));
  const here =
    providers.length === 0
      ? `${printable(file, 100)} has none with spInitiated: true below trust.saml`
      : `there is: ${providers.map((one) => one.name).join(", ")}`;
  throw new Refusal("INVALID_REQUEST", `There is no SAML provider ${printable(name, 40)} to sign in at here; ${here}.`);
}

/**
 * Signs in by the person's browser at a SAML identity provider. authn hands the browser a code for this key alone, and the browser
 * brings it to a port of this machine: whoever else sees it can do nothing with it.
 * @throws Refusal UNAUTHENTICATED, CANCELLED
 */
export async function signInBySaml(login: URL, key: ProofMaker, audience: string, timeoutMs = signInMs): Promise<string> {
  const redirect = await LoopbackRedirect.open();
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Refusal("CANCELLED", "Nobody signed in in time: run the command again.")), timeoutMs);
  try {
    const state = randomBytes(16).toString("base64url");
    const url = new URL(login);
    for (const [name, value] of Object.entries({ jkt: key.thumbprint, state, port: new URL(redirect.uri).port }))
      url.searchParams.set(name, value);
    note(`The page shows the code ${keyCode(key.thumbprint)}. Go on only where it is the same.`);
    note(`Sign in here, with a browser on this machine: ${url.href}`);
    if (canShowBrowser()) openBrowser(url.href);
    const answer = (await redirect.response(state, late.signal)).searchParams;
    // RFC 9207: the answer is that of the installation which was asked.
    if (answer.get("iss") === audience && answer.getAll("error").length === 1)
      throw new Refusal("UNAUTHENTICATED", `You said no on the page (${printable(answer.get("error") ?? "", 60)}): nobody was signed in.`);
    if (answer.get("iss") !== audience || answer.getAll("code").length !== 1)
      throw new Refusal("UNAUTHENTICATED", "What came back is no answer of this installation: check --audience, and sign in again.");
    return answer.get("code") as string;
  } finally {
    clearTimeout(timer);
    redirect.close();
  }
}
