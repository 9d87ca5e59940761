import type { LiveSession } from "@sallyport/contracts";
import { Binding } from "@sallyport/contracts";
import type { Session } from "@sallyport/sdk";
import { Option } from "commander";
import { enumName } from "../../output/enum-name.ts";
import { sessionFacts, timeOf, whoColumns } from "../../output/session.ts";

/** Every live agent that the caller may see. @param principal empty for their own */
export async function liveSessions({ roster }: Session, principal = ""): Promise<LiveSession[]> {
  const sessions: LiveSession[] = [];
  for (let pageToken = "", more = true; more; more = pageToken !== "") {
    const page = await roster.listLiveSessions({ principal, pageToken });
    sessions.push(...page.sessions);
    pageToken = page.nextPageToken;
  }
  return sessions;
}

/** A live agent as commands answer it. */
export const liveFacts = (live: LiveSession) => {
  const { expiresAt: _credential, sessionEndsAt: _session, ...facts } = sessionFacts(live);
  return {
    ...facts,
    state: live.enrolled ? "live" : "awaited",
    binding: enumName(Binding, live.binding),
    startedAt: timeOf(live.startedAt),
    endsAt: timeOf(live.endsAt),
  };
};

type Facts = ReturnType<typeof liveFacts>;

export const summaryColumns = {
  agent: ({ id }: Facts) => id,
  session: ({ session }: Facts) => session,
  state: ({ state }: Facts) => state,
  "started at": ({ startedAt }: Facts) => startedAt,
  "ends at": ({ endsAt }: Facts) => endsAt,
};

export const detailColumns = {
  ...whoColumns,
  binding: ({ binding }: Facts) => binding,
  state: summaryColumns.state,
  "started at": summaryColumns["started at"],
  "ends at": summaryColumns["ends at"],
};

export const principalOption = (): Option =>
  new Option("--principal <id>", "another's agents, such as corp/alice; for whom policy allows revoke");
