import { delegate } from "@sallyport/sdk";
import { Command, Option } from "commander";
import { type CeilingOptions, ceilingOf, withCeilingOptions } from "../input/ceiling.ts";
import { seconds } from "../input/seconds.ts";
import { note, result } from "../output/print.ts";
import { profileOption } from "../profile/profile-option.ts";
import { withProfile } from "../profile/with-profile.ts";

type Options = CeilingOptions & { name: string; thumbprint: string; ttl: number; profile: string; output: "line" | "json" };

/** `sallyport delegate`: an enrolment ticket for a child's key, as the one line for the child's standard input. */
export function delegateCommand(): Command {
  const command = new Command("delegate")
    .description("start a nested agent: print the line that its process reads on standard input")
    .requiredOption("--name <name>", "the child's name: lower-case letters, digits, `.`, `_`, `-`")
    .requiredOption("--thumbprint <thumbprint>", "of the child's public key (RFC 7638), as the child printed it");
  return withCeilingOptions(command)
    .option("--ttl <seconds>", "how long the ticket is good, at most 60", seconds(1, 60), 60)
    .addOption(profileOption())
    .addOption(new Option("-o, --output <form>", "how to answer").choices(["line", "json"]).default("line"))
    .action((options: Options) =>
      withProfile(options.profile, async (session) => {
        const { name, thumbprint, ttl: ttlSeconds } = options;
        const { handover, sessionId } = await delegate(session, { name, thumbprint, ttlSeconds, ceiling: ceilingOf(options) });
        result(options.output === "json" ? JSON.stringify({ handover, session: sessionId }) : handover);
        if (options.output === "line") note(`The child's session: ${sessionId}`);
      }),
    );
}
