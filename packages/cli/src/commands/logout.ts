import { Refusal } from "@sallyport/contracts";
import { Command } from "commander";
import { note } from "../output/print.ts";
import { forgetProfile, loadProfile } from "../profile/profile.ts";
import { profileOption } from "../profile/profile-option.ts";

/** `sallyport logout`: forgets the key and the credential; with `--end`, ends the session as well. */
export function logoutCommand(): Command {
  return new Command("logout")
    .description("forget the sign-in")
    .option("--end", "end the session too, and with it every agent that was started from it")
    .addOption(profileOption())
    .action(async ({ profile, end }: { profile: string; end?: true }) => {
      if (end === true) {
        const { session } = loadProfile(profile);
        try {
          const { sessionId } = session;
          await session.revocations.revoke({ subject: { case: "sessionId", value: sessionId }, reason: "signed out" });
        } catch (error) {
          // What is over already needs no ending; anything else leaves the sign-in for another try.
          if (!(error instanceof Refusal) || !["CREDENTIAL_EXPIRED", "CREDENTIAL_REVOKED"].includes(error.reason)) throw error;
        } finally {
          session.close();
        }
      }
      forgetProfile(profile);
      note(`Signed out of profile "${profile}".`);
    });
}
