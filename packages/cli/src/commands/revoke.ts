import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Refusal, type RevokeRequest } from "@sallyport/contracts";
import { Command } from "commander";
import { type Form, outputOption } from "../output/form.ts";
import { printOne } from "../output/print.ts";
import { profileOption } from "../profile/profile-option.ts";
import { withProfile } from "../profile/with-profile.ts";

interface Options {
  session?: string;
  principal?: string;
  provider?: string;
  agent?: string;
  startedBefore?: string;
  reason: string;
  profile: string;
  output: Form;
}

/** `sallyport revoke`: ends sessions, and everything below them. */
export function revokeCommand(): Command {
  return new Command("revoke")
    .description("end sessions and everything below them; from one second after the answer no effect begins for them")
    .option("--session <id>", "this agent's session, and its whole subtree")
    .option("--principal <id>", "all sessions of a principal: corp/alice")
    .option("--provider <name>", "all sessions that began at a trust provider")
    .option("--agent <id>", "all sessions of an agent: corp/ci#release/deploy")
    .option("--started-before <time>", "all sessions that began before this: 2026-11-25T10:00:00Z")
    .requiredOption("--reason <text>", "why; kept in evidence, at most 500 characters")
    .addOption(profileOption())
    .addOption(outputOption())
    .action((options: Options) => {
      const subject = subjectOf(options);
      return withProfile(options.profile, async (session) => {
        const { sequence } = await session.revocations.revoke({ subject, reason: options.reason });
        printOne(
          options.output,
          { revoked: true, sequence: sequence.toString() },
          { revoked: () => "yes", sequence: (item) => item.sequence },
        );
      });
    });
}

function subjectOf({ session, principal, provider, agent, startedBefore }: Options): RevokeRequest["subject"] {
  const subjects: RevokeRequest["subject"][] = [];
  if (session !== undefined) subjects.push({ case: "sessionId", value: session });
  if (principal !== undefined) subjects.push({ case: "principal", value: principal });
  if (provider !== undefined) subjects.push({ case: "provider", value: provider });
  if (agent !== undefined) subjects.push({ case: "agent", value: agent });
  if (startedBefore !== undefined) subjects.push({ case: "startedBefore", value: timestampFromDate(parseTime(startedBefore)) });
  const [subject, ...more] = subjects;
  if (subject !== undefined && more.length === 0) return subject;
  throw new Refusal("INVALID_REQUEST", "Say what to end by exactly one of --session, --principal, --provider, --agent, --started-before.");
}

function parseTime(text: string): Date {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (!Number.isNaN(time.getTime())) return time;
  throw new Refusal("INVALID_REQUEST", "Give the time with its zone, such as 2026-11-25T10:00:00Z.");
}
