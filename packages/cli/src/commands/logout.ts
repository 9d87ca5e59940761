import { printable, Refusal } from "@sallyport/contracts";
import { Command } from "commander";
import { note } from "../output/print.ts";
import { forgetProfile, knownProfile, loadProfile } from "../profile/profile.ts";
import { profileOption } from "../profile/profile-option.ts";
import type { IssuerChoice } from "../sign-in/issuer-choice.ts";

/** `sallyport logout`: forgets the key and the credential; with `--end`, ends the session as well. */
export function logoutCommand(): Command {
  return new Command("logout")
    .description("forget the sign-in")
    .option("--end", "end the session too, and with it every agent that was started from it")
    .addOption(profileOption())
    .action(async ({ profile, end }: { profile: string; end?: true }) => {
      const known = await knownProfile(profile);
      known?.session.close();
      if (end === true) {
        const { session } = await loadProfile(profile);
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
      if (known?.signIn?.refreshToken !== undefined) await giveUp(known.signIn, known.signIn.refreshToken);
      const left = await forgetProfile(profile);
      if (left !== undefined) note(`The keyring still has the key that sealed the profile's file, which is gone: ${printable(left, 200)}.`);
      note(`Signed out of profile "${profile}".`);
    });
}

/** A refresh token that is forgotten here should be worth nothing elsewhere; where that cannot be had, the person is told. */
async function giveUp(signIn: IssuerChoice, refreshToken: string): Promise<void> {
  const { endRefreshToken } = await import("../sign-in/refresh.ts");
  const ended = await endRefreshToken(signIn, refreshToken).catch(() => false);
  if (!ended) note("The issuer did not end the refresh token; end your session there, too, where others may have read this profile.");
}
