import { Refusal } from "@sallyport/contracts";
import { exchangeIdToken } from "@sallyport/sdk";
import { Command } from "commander";
import { type CeilingOptions, ceilingOf, isCeilingNamed, withCeilingOptions } from "../input/ceiling.ts";
import { readStdin } from "../input/stdin.ts";
import { type Form, outputOption } from "../output/form.ts";
import { note, printOne } from "../output/print.ts";
import { sessionColumns, sessionFacts } from "../output/session.ts";
import { type EndpointOptions, endpointsOf, isWhereNamed, withEndpointOptions } from "../profile/endpoints.ts";
import { knownProfile, saveProfile } from "../profile/profile.ts";
import { profileOption } from "../profile/profile-option.ts";
import type { RememberedSignIn } from "../profile/remembered-sign-in.ts";
import { chooseIssuer, type IssuerOptions, withIssuerOptions } from "../sign-in/issuer-choice.ts";

type Options = EndpointOptions &
  IssuerOptions &
  CeilingOptions & { idTokenStdin?: true; device?: true; browser?: true; agent?: string; profile: string; output: Form };

/** As much as any issuer's token; authn has its own bound. */
const maxTokenBytes = 64 * 1024;

/** `sallyport login`: a person signs in at a trusted issuer; its ID token becomes a credential for a new key, which this machine remembers. */
export function loginCommand(): Command {
  const command = new Command("login")
    .description("sign in at a trusted issuer, by browser or by a code on another device, or with an ID token on standard input")
    .option("--device", "by a code that is entered in a browser anywhere (RFC 8628)")
    .option("--browser", "by a browser on this machine (authorization code with PKCE)")
    .option("--id-token-stdin", "read an ID token from standard input instead")
    .option("--agent <name>", "sign in as an agent of that identity; needs --action, --secret and --target");
  return withCeilingOptions(withEndpointOptions(withIssuerOptions(command)))
    .addOption(profileOption())
    .addOption(outputOption())
    .action(async (options: Options) => {
      if ([options.device, options.browser, options.idTokenStdin].filter((way) => way === true).length > 1)
        throw new Refusal("INVALID_REQUEST", "Say one of --device, --browser and --id-token-stdin.");
      const ceiling = isCeilingNamed(options) || options.agent !== undefined ? { ceiling: ceilingOf(options) } : {};
      const before = knownProfile(options.profile);
      before?.session.close();
      const known = before?.session.endpoints;
      const endpoints = known !== undefined && !isWhereNamed(options) ? known : await endpointsOf(options);
      // What was remembered of one installation says nothing about another.
      const again = known?.audience === endpoints.audience && known.authn === endpoints.authn ? before?.signIn : undefined;
      const { idToken, signIn } = options.idTokenStdin === true ? await givenToken() : await signedIn(options, again);
      const session = await exchangeIdToken(endpoints, idToken, { agentName: options.agent ?? "", ...ceiling });
      try {
        note(`Signed in; the key and the credential are in ${saveProfile(options.profile, { session, signIn })}`);
        printOne(options.output, sessionFacts({ ...session.credential, thumbprint: session.proofs.thumbprint }), sessionColumns);
      } finally {
        session.close();
      }
    });
}

interface SignedIn {
  readonly idToken: string;
  readonly signIn: RememberedSignIn | undefined;
}

async function givenToken(): Promise<SignedIn> {
  const idToken = (await readStdin("Paste the ID token", maxTokenBytes)).toString("utf8").trim();
  if (idToken === "") throw new Refusal("INVALID_REQUEST", "Standard input holds no token.");
  return { idToken, signIn: undefined };
}

async function signedIn(options: Options, before: RememberedSignIn | undefined): Promise<SignedIn> {
  const choice = await chooseIssuer(options, before);
  const { signInAt } = await import("../sign-in/sign-in.ts");
  const way = options.device === true ? "device" : options.browser === true ? "browser" : undefined;
  const { idToken, refreshToken } = await signInAt(choice, way);
  // Some issuers give one unasked; what nobody asked for is not kept.
  return { idToken, signIn: { ...choice, refreshToken: choice.scopes.includes("offline_access") ? refreshToken : undefined } };
}
