import { Person } from "@sallyport/sdk";
import { Command } from "commander";
import { type Form, outputOption } from "../../output/form.ts";
import { printAll } from "../../output/print.ts";
import { profileOption } from "../../profile/profile-option.ts";
import { withProfile } from "../../profile/with-profile.ts";
import { reviewFacts, summaryColumns } from "./view.ts";

export function listCommand(): Command {
  return new Command("ls")
    .description("the reviews that wait for a decision")
    .option("--all", "those that were decided or ran out, too")
    .addOption(profileOption())
    .addOption(outputOption())
    .action(({ all, profile, output }: { all?: true; profile: string; output: Form }) =>
      withProfile(profile, async (session) => {
        const reviews = await new Person(session).reviews(all !== true);
        printAll(output, reviews.map(reviewFacts), summaryColumns, "Nothing waits for a decision.");
      }),
    );
}
