import { Command } from "commander";
import { readStdin } from "../../input/stdin.ts";
import { type Form, outputOption } from "../../output/form.ts";
import { note, printOne } from "../../output/print.ts";
import { profileOption } from "../../profile/profile-option.ts";
import { withProfile } from "../../profile/with-profile.ts";
import { fieldsOf } from "./fields.ts";

/** A message holds no more. */
const maxBytes = 1024 * 1024;

interface Options {
  field?: string;
  trim?: boolean;
  afterVersion: string;
  profile: string;
  output: Form;
}

/** Values come by standard input alone: arguments and the environment can be read by others. */
export function writeCommand(): Command {
  return new Command("write")
    .description("store a new version of a secret, given on standard input; needs no right to read any")
    .argument("<secret>")
    .option("--field <name>", "standard input is this field's value, byte by byte; left out, it is a JSON object of fields and texts")
    .option("--trim", "with --field: leave out one line break at the end")
    .option("--after-version <version>", "only if this is the newest version; 0 for none yet", "")
    .addOption(profileOption())
    .addOption(outputOption())
    .action((secret: string, { field, trim = false, afterVersion, profile, output }: Options) =>
      withProfile(profile, async ({ broker }) => {
        const input = await readStdin(field === undefined ? "Type the fields as a JSON object" : "Type the value", maxBytes);
        const fields = fieldsOf(input, field, trim);
        if (field !== undefined && !trim && input.at(-1) === 0x0a)
          note("The value ends with a line break, which is kept; --trim leaves it out.");
        try {
          const { version } = await broker.write({ secret, fields, afterVersion });
          printOne(output, { secret, version }, { secret: (item) => item.secret, version: (item) => item.version });
        } finally {
          for (const value of [input, ...Object.values(fields)]) value.fill(0);
        }
      }),
    );
}
