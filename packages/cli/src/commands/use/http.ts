import { Refusal } from "@sallyport/contracts";
import { type Session, type UseOptions, type UseResult, useSecret, waitForAccess } from "@sallyport/sdk";
import { Command, Option } from "commander";
import { type OperationOptions, operationOf, withOperationOptions } from "../../input/operation.ts";
import { maxWaitSeconds, waitOption } from "../../input/wait.ts";
import { note } from "../../output/print.ts";
import { profileOption } from "../../profile/profile-option.ts";
import { withProfile } from "../../profile/with-profile.ts";
import { printAnswer } from "./answer.ts";

type Options = OperationOptions & { accessRequest?: string; wait?: number | true; profile: string; output: "body" | "json" };

export function useHttpCommand(): Command {
  return withOperationOptions(new Command("http").description("call an HTTP target with the secret that it wants"))
    .option("--access-request <id>", "the access request that was granted for exactly this call")
    .addOption(waitOption("where people must approve it, wait for them"))
    .addOption(profileOption())
    .addOption(
      new Option("-o, --output <form>", "body: the masked body as it comes, the rest on standard error; json: all of it")
        .choices(["body", "json"])
        .default("body"),
    )
    .action(async (options: Options) => {
      const operation = await operationOf(options);
      await withProfile(options.profile, async (session) => {
        const interrupted = new AbortController();
        const onSignal = () => interrupted.abort();
        process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
        try {
          const waitMs = options.wait === undefined ? undefined : 1000 * (options.wait === true ? maxWaitSeconds : options.wait);
          const asked = { ...operation, accessRequestId: options.accessRequest, signal: interrupted.signal };
          await printAnswer(await answerTo(session, asked, waitMs), options.output);
        } finally {
          process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
        }
      });
    });
}

/** @param waitMs how long to wait for people; undefined: not at all */
async function answerTo(session: Session, asked: UseOptions, waitMs: number | undefined): Promise<UseResult> {
  try {
    return await useSecret(session.broker, asked);
  } catch (error) {
    const id = error instanceof Refusal && error.reason === "APPROVAL_REQUIRED" ? error.metadata.access_request_id : undefined;
    if (waitMs === undefined || id === undefined) throw error;
    note(`A person must approve this first; it waits as ${id}.`);
    await waitForAccess(session.broker, id, waitMs, asked.signal);
    return useSecret(session.broker, { ...asked, accessRequestId: id });
  }
}
