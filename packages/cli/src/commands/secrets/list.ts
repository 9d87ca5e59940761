import type { SecretSummary } from "@sallyport/contracts";
import { Command } from "commander";
import { type Form, outputOption } from "../../output/form.ts";
import { printAll } from "../../output/print.ts";
import { profileOption } from "../../profile/profile-option.ts";
import { withProfile } from "../../profile/with-profile.ts";

export function listCommand(): Command {
  return new Command("ls")
    .description("the secrets that you may list")
    .argument("[prefix]", "only names below it: prod/orders", "")
    .addOption(profileOption())
    .addOption(outputOption())
    .action((prefix: string, { profile, output }: { profile: string; output: Form }) =>
      withProfile(profile, async ({ broker }) => {
        const secrets: SecretSummary[] = [];
        for (let pageToken = "", more = true; more; more = pageToken !== "") {
          const page = await broker.list({ prefix, pageToken, pageSize: 1000 });
          secrets.push(...page.secrets);
          pageToken = page.nextPageToken;
        }
        const found = secrets.map(({ name, categories }) => ({ name, categories }));
        printAll(
          output,
          found,
          { name: ({ name }) => name, categories: ({ categories }) => categories.join(", ") },
          "No secret that you may list.",
        );
      }),
    );
}
