import { printable, Refusal } from "@sallyport/contracts";
import { Command } from "commander";
import { type Form, outputOption } from "../../output/form.ts";
import { printOne } from "../../output/print.ts";
import { profileOption } from "../../profile/profile-option.ts";
import { withProfile } from "../../profile/with-profile.ts";
import { detailColumns, liveFacts, liveSessions, principalOption } from "./live-sessions.ts";

export function sessionsShowCommand(): Command {
  return new Command("show")
    .description("one live agent: its chain, its ceiling, its key")
    .argument("<session>", "its session's id, or the agent's own id where it has one session only")
    .addOption(principalOption())
    .addOption(profileOption())
    .addOption(outputOption())
    .action((named: string, { principal, profile, output }: { principal?: string; profile: string; output: Form }) =>
      withProfile(profile, async (session) => {
        const found = (await liveSessions(session, principal)).map(liveFacts).filter((live) => live.session === named || live.id === named);
        const [live, ...more] = found;
        if (live === undefined) throw new Refusal("INVALID_REQUEST", `No live agent that you may see is ${printable(named, 80)}.`);
        if (more.length > 0)
          throw new Refusal(
            "INVALID_REQUEST",
            `${found.length} sessions of that agent live: name one, ${more.map((one) => one.session).join(", ")}.`,
          );
        printOne(output, live, detailColumns);
      }),
    );
}
