import { Person } from "@sallyport/sdk";
import { Command } from "commander";
import { type Form, outputOption } from "../../output/form.ts";
import { printOne } from "../../output/print.ts";
import { profileOption } from "../../profile/profile-option.ts";
import { withProfile } from "../../profile/with-profile.ts";
import { reviewColumns, reviewFacts } from "./view.ts";

export function showCommand(): Command {
  return new Command("show")
    .description("all of one review: who asks, through whom, for what exactly")
    .argument("<id>")
    .addOption(profileOption())
    .addOption(outputOption())
    .action((id: string, { profile, output }: { profile: string; output: Form }) =>
      withProfile(profile, async (session) => printOne(output, reviewFacts(await new Person(session).review(id)), reviewColumns)),
    );
}
