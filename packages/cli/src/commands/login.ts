import { Refusal } from "@sallyport/contracts";
import { idTokenType, Session } from "@sallyport/sdk";
import { Command } from "commander";
import { type CeilingOptions, ceilingOf, isCeilingNamed, withCeilingOptions } from "../input/ceiling.ts";
import { readStdin } from "../input/stdin.ts";
import { type Form, outputOption } from "../output/form.ts";
import { note, printOne } from "../output/print.ts";
import { sessionColumns, sessionFacts } from "../output/session.ts";
import { type EndpointOptions, endpointsOf, withEndpointOptions } from "../profile/endpoints.ts";
import { saveProfile } from "../profile/profile.ts";
import { profileOption } from "../profile/profile-option.ts";

type Options = EndpointOptions & CeilingOptions & { idTokenStdin?: true; agent?: string; profile: string; output: Form };

/** As much as any issuer's token; authn has its own bound. */
const maxTokenBytes = 64 * 1024;

/** `sallyport login`: an ID token becomes a credential for a new key, which this machine remembers. */
export function loginCommand(): Command {
  const command = new Command("login")
    .description("sign in with an ID token of a trusted issuer, read from standard input")
    .option("--id-token-stdin", "read the ID token from standard input")
    .option("--agent <name>", "sign in as an agent of that identity; needs --action, --secret and --target");
  return withCeilingOptions(withEndpointOptions(command))
    .addOption(profileOption())
    .addOption(outputOption())
    .action(async (options: Options) => {
      if (options.idTokenStdin !== true)
        throw new Refusal("INVALID_REQUEST", "Say --id-token-stdin, and give the ID token on standard input.");
      const ceiling = isCeilingNamed(options) || options.agent !== undefined ? { ceiling: ceilingOf(options) } : {};
      const endpoints = await endpointsOf(options);
      const subjectToken = (await readStdin("Paste the ID token", maxTokenBytes)).toString("utf8").trim();
      if (subjectToken === "") throw new Refusal("INVALID_REQUEST", "Standard input holds no token.");
      const session = new Session(endpoints);
      try {
        const { credential } = await session.tokens.exchange({
          subjectToken,
          subjectTokenType: idTokenType,
          agentName: options.agent ?? "",
          ...ceiling,
        });
        session.adopt(credential);
        note(`Signed in; the key and the credential are in ${saveProfile(options.profile, session)}`);
        printOne(options.output, sessionFacts({ ...session.credential, thumbprint: session.proofs.thumbprint }), sessionColumns);
      } finally {
        session.close();
      }
    });
}
