import { Refusal } from "@sallyport/contracts";
import { type CeilingInit, type Endpoints, exchangeIdToken, ProofMaker, samlCodeType } from "@sallyport/sdk";
import { Command } from "commander";
import { type CeilingOptions, ceilingOf, isCeilingNamed, withCeilingOptions } from "../input/ceiling.ts";
import { readStdin } from "../input/stdin.ts";
import { type Form, outputOption } from "../output/form.ts";
import { note, printOne } from "../output/print.ts";
import { sessionColumns, sessionFacts } from "../output/session.ts";
import { type EndpointOptions, endpointsOf, isWhereNamed, withEndpointOptions } from "../profile/endpoints.ts";
import { knownProfile, profilePath, saveProfile } from "../profile/profile.ts";
import { type Keep, keepOption, sealingOf } from "../profile/profile-key.ts";
import { profileOption } from "../profile/profile-option.ts";
import type { RememberedSignIn } from "../profile/remembered-sign-in.ts";
import { frontClient, frontFor } from "../sign-in/front.ts";
import { chooseIssuer, type IssuerOptions, withIssuerOptions } from "../sign-in/issuer-choice.ts";

type Options = EndpointOptions &
  IssuerOptions &
  CeilingOptions & {
    idTokenStdin?: true;
    saml?: string;
    samlCodeStdin?: true;
    signInAt?: string;
    device?: true;
    browser?: true;
    agent?: string;
    keep?: Keep;
    profile: string;
    output: Form;
  };

/** As much as any issuer's token; authn has its own bound. */
const maxTokenBytes = 64 * 1024;

/** `sallyport login`: a person signs in, at authn or at a trusted issuer; that becomes a credential for a new key, which this machine remembers. */
export function loginCommand(): Command {
  const command = new Command("login")
    .description("sign in at authn or a trusted issuer, by browser or by a code on another device, or with an ID token on standard input")
    .option("--device", "by a code that is entered in a browser anywhere (RFC 8628)")
    .option("--browser", "by a browser on this machine (authorization code with PKCE)")
    .option("--sign-in-at <url>", "at authn's own page, https://HOST; left out, where the configuration or the installation has one")
    .option("--saml <name>", "by a browser on this machine, at a SAML provider of the configuration, or at https://HOST/saml/NAME/login")
    .option("--saml-code-stdin", "read the code that a SAML sign-in showed, which was begun at the identity provider")
    .option("--id-token-stdin", "read an ID token from standard input instead")
    .option("--agent <name>", "sign in as an agent of that identity; needs --action, --secret and --target");
  return withCeilingOptions(withEndpointOptions(withIssuerOptions(command)))
    .addOption(keepOption())
    .addOption(profileOption())
    .addOption(outputOption())
    .action(async (options: Options) => {
      const ways = [options.device, options.browser, options.saml, options.samlCodeStdin, options.idTokenStdin];
      if (ways.filter((way) => way !== undefined).length > 1)
        throw new Refusal("INVALID_REQUEST", "Say one of --device, --browser, --saml, --saml-code-stdin and --id-token-stdin.");
      const ceiling = isCeilingNamed(options) || options.agent !== undefined ? { ceiling: ceilingOf(options) } : {};
      const before = await knownProfile(options.profile);
      before?.session.close();
      const known = before?.session.endpoints;
      const endpoints = known !== undefined && !isWhereNamed(options) ? known : await endpointsOf(options);
      // What was remembered of one installation says nothing about another.
      const again = known?.audience === endpoints.audience && known.authn === endpoints.authn ? before?.signIn : undefined;
      // Before the person is asked: a session that nobody can keep should not begin.
      const sealing = await sealingOf(profilePath(options.profile), options.keep);
      const { session, signIn } = await begin(options, again, endpoints, ceiling);
      try {
        const file = saveProfile(options.profile, { session, signIn, sealKey: sealing.key });
        const how = sealing.key === undefined ? `mode 0600: ${sealing.why}` : "sealed by a key in the system's keyring";
        note(`Signed in; the key and the credential are in ${file}, ${how}.`);
        printOne(options.output, sessionFacts({ ...session.credential, thumbprint: session.proofs.thumbprint }), sessionColumns);
      } finally {
        session.close();
      }
    });
}

/** The session, and how to do it again without being told; undefined where that cannot be remembered. */
async function begin(options: Options, again: RememberedSignIn | undefined, endpoints: Endpoints, { ceiling }: { ceiling?: CeilingInit }) {
  const shown = [options.saml, options.samlCodeStdin, options.idTokenStdin].some((way) => way !== undefined);
  const front = shown ? undefined : await frontFor(options, again, endpoints.audience);
  if (front !== undefined) {
    const { signInAtFront } = await import("../sign-in/front-sign-in.ts");
    const session = await signInAtFront(front, endpoints, { way: wayOf(options), agentName: options.agent, ceiling });
    return { session, signIn: { issuer: front.url, clientId: frontClient, scopes: [] } };
  }
  const issuer = again?.clientId === frontClient ? undefined : again;
  const { token, signIn, ...proof } = await shownBy(options, issuer, endpoints.audience);
  const limit = ceiling === undefined ? {} : { ceiling };
  return { session: await exchangeIdToken(endpoints, token, { agentName: options.agent ?? "", ...limit, ...proof }), signIn };
}

const wayOf = ({ device, browser }: Options) => (device === true ? "device" : browser === true ? "browser" : undefined);

/** What shows authn who the person is. */
interface Shown {
  readonly token: string;
  /** An ID token unless said. */
  readonly tokenType?: string;
  /** The key that it belongs to; a new one unless said. */
  readonly key?: ProofMaker;
  /** How to do it again without being told; undefined where that cannot be remembered. */
  readonly signIn: RememberedSignIn | undefined;
}

async function shownBy(options: Options, again: RememberedSignIn | undefined, audience: string): Promise<Shown> {
  if (options.idTokenStdin === true) return { token: await given("Paste the ID token"), signIn: undefined };
  if (options.samlCodeStdin === true) return { token: await given("Paste the code"), tokenType: samlCodeType, signIn: undefined };
  if (options.saml === undefined) return signedIn(options, again);
  const { samlLoginUrl, signInBySaml } = await import("../sign-in/saml-sign-in.ts");
  const key = ProofMaker.generate();
  const login = await samlLoginUrl(options.saml, options.config);
  return { token: await signInBySaml(login, key, audience), tokenType: samlCodeType, key, signIn: undefined };
}

async function given(what: string): Promise<string> {
  const token = (await readStdin(what, maxTokenBytes)).toString("utf8").trim();
  if (token === "") throw new Refusal("INVALID_REQUEST", "Standard input holds no token.");
  return token;
}

async function signedIn(options: Options, before: RememberedSignIn | undefined): Promise<Shown> {
  const choice = await chooseIssuer(options, before);
  const { signInAt } = await import("../sign-in/sign-in.ts");
  const { idToken, refreshToken } = await signInAt(choice, wayOf(options));
  // Some issuers give one unasked; what nobody asked for is not kept.
  return { token: idToken, signIn: { ...choice, refreshToken: choice.scopes.includes("offline_access") ? refreshToken : undefined } };
}
