import { Refusal } from "@sallyport/contracts";
import { Command } from "commander";
import { type Form, outputOption } from "../../output/form.ts";
import { printOne } from "../../output/print.ts";
import { timeOf } from "../../output/session.ts";
import { profileOption } from "../../profile/profile-option.ts";
import { withProfile } from "../../profile/with-profile.ts";

export function readCommand(): Command {
  return new Command("read")
    .description("one secret: version, age, and for each field its placeholder and fingerprint; never a value")
    .argument("<secret>")
    .addOption(profileOption())
    .addOption(outputOption())
    .action((name: string, { profile, output }: { profile: string; output: Form }) =>
      withProfile(profile, async ({ broker }) => {
        const { secret } = await broker.describe({ secret: name });
        if (secret === undefined) throw new Refusal("INTERNAL", "The answer holds no secret.");
        const { version, categories } = secret;
        const fields = secret.fields.map(({ name, placeholder, fingerprint }) => ({ name, placeholder, fingerprint }));
        const found = { name: secret.name, version, createdAt: timeOf(secret.createdAt), categories, fields };
        printOne(output, found, {
          name: (item) => item.name,
          version: (item) => item.version,
          created: (item) => item.createdAt,
          categories: (item) => item.categories.join(", "),
          fields: (item) => item.fields.map((field) => `${field.name}: ${field.placeholder} (fingerprint ${field.fingerprint})`),
        });
      }),
    );
}
