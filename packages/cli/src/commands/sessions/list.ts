import { Command } from "commander";
import { type Form, outputOption } from "../../output/form.ts";
import { printAll } from "../../output/print.ts";
import { profileOption } from "../../profile/profile-option.ts";
import { withProfile } from "../../profile/with-profile.ts";
import { liveFacts, liveSessions, principalOption, summaryColumns } from "./live-sessions.ts";

export function sessionsListCommand(): Command {
  return new Command("ls")
    .description("the agents that live now, yours unless said")
    .addOption(principalOption())
    .addOption(profileOption())
    .addOption(outputOption())
    .action(({ principal, profile, output }: { principal?: string; profile: string; output: Form }) =>
      withProfile(profile, async (session) => {
        const live = (await liveSessions(session, principal)).map(liveFacts).sort((one, other) => (one.id < other.id ? -1 : 1));
        printAll(output, live, summaryColumns, "No agent lives.");
      }),
    );
}
