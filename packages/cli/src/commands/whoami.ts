import { Command } from "commander";
import { type Form, outputOption } from "../output/form.ts";
import { printOne } from "../output/print.ts";
import { sessionColumns, sessionFacts } from "../output/session.ts";
import { profileOption } from "../profile/profile-option.ts";
import { withProfile } from "../profile/with-profile.ts";

/** `sallyport whoami`: what the credential says, as Sallyport understands it. */
export function whoamiCommand(): Command {
  return new Command("whoami")
    .description("say who you are to Sallyport, the most that you may do, and until when")
    .addOption(profileOption())
    .addOption(outputOption())
    .action(({ profile, output }: { profile: string; output: Form }) =>
      withProfile(profile, async (session) => printOne(output, sessionFacts(await session.tokens.whoAmI({})), sessionColumns)),
    );
}
