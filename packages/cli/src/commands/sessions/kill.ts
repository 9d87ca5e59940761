import { Command } from "commander";
import { note } from "../../output/print.ts";
import { profileOption } from "../../profile/profile-option.ts";
import { withProfile } from "../../profile/with-profile.ts";

/** `sallyport sessions kill`: as `revoke --session`, by the id that `ls` shows. */
export function killCommand(): Command {
  return new Command("kill")
    .description("end an agent's session, and everything below it; from one second after the answer no effect begins for it")
    .argument("<session>", "its session's id")
    .requiredOption("--reason <text>", "why; kept in evidence, at most 500 characters")
    .addOption(profileOption())
    .action((sessionId: string, { reason, profile }: { reason: string; profile: string }) =>
      withProfile(profile, async (session) => {
        await session.revocations.revoke({ subject: { case: "sessionId", value: sessionId }, reason });
        note("Ended, with everything below it.");
      }),
    );
}
