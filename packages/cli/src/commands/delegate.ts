import { Refusal } from "@sallyport/contracts";
import { delegate, type TicketFor } from "@sallyport/sdk";
import { Command, Option } from "commander";
import { type CeilingOptions, ceilingOf, withCeilingOptions } from "../input/ceiling.ts";
import { seconds } from "../input/seconds.ts";
import { note, result } from "../output/print.ts";
import { profileOption } from "../profile/profile-option.ts";
import { withProfile } from "../profile/with-profile.ts";

type Options = CeilingOptions & {
  name: string;
  thumbprint?: string;
  unbound?: true;
  ttl: number;
  profile: string;
  output: "line" | "json";
};

/** `sallyport delegate`: an enrolment ticket for a child's key, as the one line for the child's standard input. */
export function delegateCommand(): Command {
  const command = new Command("delegate")
    .description("start a nested agent: print the line that its process reads on standard input")
    .requiredOption("--name <name>", "the child's name: lower-case letters, digits, `.`, `_`, `-`")
    .option("--thumbprint <thumbprint>", "of the child's public key (RFC 7638), as the child printed it")
    .option("--unbound", "a ticket that names no key, where policy allows it: whoever redeems it first is the child, a second ends it");
  return withCeilingOptions(command)
    .option("--ttl <seconds>", "how long the ticket is good, at most 60", seconds(1, 60), 60)
    .addOption(profileOption())
    .addOption(new Option("-o, --output <form>", "how to answer").choices(["line", "json"]).default("line"))
    .action((options: Options) =>
      withProfile(options.profile, async (session) => {
        const { name, ttl: ttlSeconds } = options;
        const { handover, sessionId } = await delegate(session, { name, ttlSeconds, ceiling: ceilingOf(options), ...ticketFor(options) });
        result(options.output === "json" ? JSON.stringify({ handover, session: sessionId }) : handover);
        if (options.output === "line") note(`The child's session: ${sessionId}`);
      }),
    );
}

function ticketFor({ thumbprint, unbound }: Options): TicketFor {
  if (thumbprint !== undefined && unbound === undefined) return { thumbprint };
  if (thumbprint === undefined && unbound !== undefined) return { unbound };
  throw new Refusal("INVALID_REQUEST", "Say whose the ticket is: --thumbprint with the child's, or --unbound.");
}
