import { Command } from "commander";
import { collect } from "../../input/collect.ts";
import { readStdin } from "../../input/stdin.ts";
import { type Form, outputOption } from "../../output/form.ts";
import { note, printOne } from "../../output/print.ts";
import { profileOption } from "../../profile/profile-option.ts";
import { withProfile } from "../../profile/with-profile.ts";
import { fieldsOf } from "./fields.ts";
import { generatedHelp, generatedOf } from "./generated.ts";

/** A message holds no more. */
const maxBytes = 1024 * 1024;

interface Options {
  generate: string[];
  alphabet?: string;
  field?: string;
  trim?: boolean;
  afterVersion: string;
  profile: string;
  output: Form;
}

/** Values come by standard input alone: arguments and the environment can be read by others. */
export function writeCommand(): Command {
  return new Command("write")
    .description("store a new version of a secret, given on standard input or made up by the broker; needs no right to read any")
    .argument("<secret>")
    .option("--field <name>", "standard input is this field's value, byte by byte; left out, it is a JSON object of fields and texts")
    .option("--generate <field>", `made up by the broker, seen by nobody (repeatable): ${generatedHelp}`, collect, [])
    .option("--alphabet <characters>", "with --generate: the characters of texts; letters and digits unless said")
    .option("--trim", "with --field: leave out one line break at the end")
    .option("--after-version <version>", "only if this is the newest version; 0 for none yet", "")
    .addOption(profileOption())
    .addOption(outputOption())
    .action((secret: string, { generate: wanted, alphabet, field, trim = false, afterVersion, profile, output }: Options) =>
      withProfile(profile, async ({ broker }) => {
        const generate = generatedOf(wanted, alphabet);
        // All is made up where no value is announced: nobody waits for an input that does not come.
        const asks = wanted.length === 0 || field !== undefined;
        const input = asks
          ? await readStdin(field === undefined ? "Type the fields as a JSON object" : "Type the value", maxBytes)
          : undefined;
        const fields = input === undefined ? {} : fieldsOf(input, field, trim);
        if (field !== undefined && !trim && input?.at(-1) === 0x0a)
          note("The value ends with a line break, which is kept; --trim leaves it out.");
        try {
          const { version, publicKeys } = await broker.write({ secret, fields, generate, afterVersion });
          const keys = Object.entries(publicKeys);
          printOne(
            output,
            { secret, version, ...(keys.length === 0 ? {} : { publicKeys: { ...publicKeys } }) },
            {
              secret: (item) => item.secret,
              version: (item) => item.version,
              "public keys": () => keys.flatMap(([name, pem]) => [`${name}:`, ...pem.trimEnd().split("\n")]),
            },
          );
        } finally {
          for (const value of [...(input === undefined ? [] : [input]), ...Object.values(fields)]) value.fill(0);
        }
      }),
    );
}
