import { Refusal } from "@sallyport/contracts";
import { Person } from "@sallyport/sdk";
import { Command } from "commander";
import { confirm } from "../../input/confirm.ts";
import { type Form, outputOption } from "../../output/form.ts";
import { describe, note, printOne } from "../../output/print.ts";
import { profileOption } from "../../profile/profile-option.ts";
import { withProfile } from "../../profile/with-profile.ts";
import { reviewColumns, reviewFacts } from "./view.ts";

interface Options {
  digest?: string;
  yes?: true;
  reason: string;
  profile: string;
  output: Form;
}

/** `approve` and `reject`: shows what is decided on, and votes for the digest that was shown, whatever the review becomes meanwhile. */
export function decideCommand(verb: "approve" | "reject"): Command {
  return new Command(verb)
    .description(`${verb} a request: shows exactly what it is, and asks unless --digest or --yes is given`)
    .argument("<id>")
    .option("--digest <digest>", `${verb} only the request with this digest, without being asked`)
    .option("--yes", `${verb} what is shown, without being asked`)
    .option("--reason <text>", "why; kept in evidence, at most 500 characters", "")
    .addOption(profileOption())
    .addOption(outputOption())
    .action((id: string, options: Options) =>
      withProfile(options.profile, async (session) => {
        const person = new Person(session);
        const seen = await person.review(id);
        note(describe(reviewFacts(seen), reviewColumns));
        if (options.digest !== undefined && options.digest !== seen.digest) {
          throw new Refusal("INVALID_REQUEST", "This is not the request with that digest; look at it again before you decide.");
        }
        if (
          options.digest === undefined &&
          options.yes !== true &&
          !(await confirm(`${verb} this?`, "--yes, or --digest with the digest that was shown"))
        ) {
          throw new Refusal("CANCELLED", "Nothing was decided.");
        }
        const after = await person[verb](id, seen.digest, options.reason);
        printOne(options.output, reviewFacts(after), {
          id: (item) => item.id,
          state: (item) => item.state,
          votes: reviewColumns.votes ?? (() => ""),
        });
      }),
    );
}
