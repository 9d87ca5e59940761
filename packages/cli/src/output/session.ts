import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Ceiling, Chain } from "@sallyport/contracts";
import { LinkKind } from "@sallyport/contracts";
import { actionName } from "@sallyport/identity";
import { enumName } from "./enum-name.ts";
import type { Columns } from "./print.ts";

export const timeOf = (time: Timestamp | undefined): string => (time === undefined ? "" : timestampDate(time).toISOString());

/** A chain as commands answer it. */
export const linksOf = (chain: Chain | undefined) =>
  (chain?.links ?? []).map(({ id, kind, sessionId, owner }) => ({
    id,
    kind: enumName(LinkKind, kind),
    session: sessionId,
    ...(owner === "" ? {} : { owner }),
  }));

const ceilingEntriesOf = (ceiling: Ceiling | undefined) =>
  (ceiling?.entries ?? []).map(({ actions, secrets, targets }) => ({
    actions: actions.map((action) => actionName(action) ?? "unknown"),
    secrets,
    targets,
  }));

/** Who a credential stands for, the most that it allows, and until when. */
export const sessionFacts = (parts: {
  chain?: Chain | undefined;
  ceiling?: Ceiling | undefined;
  expiresAt?: Timestamp | undefined;
  sessionEndsAt?: Timestamp | undefined;
  thumbprint: string;
}) => {
  const links = linksOf(parts.chain);
  return {
    id: links.at(-1)?.id ?? "",
    session: links.at(-1)?.session ?? "",
    chain: links,
    groups: parts.chain?.groups ?? [],
    ceiling: ceilingEntriesOf(parts.ceiling),
    expiresAt: timeOf(parts.expiresAt),
    sessionEndsAt: timeOf(parts.sessionEndsAt),
    thumbprint: parts.thumbprint,
  };
};

type WhoAndWhat = Omit<ReturnType<typeof sessionFacts>, "expiresAt" | "sessionEndsAt">;

/** Who, through whom, and the most that they may do. */
export const whoColumns = {
  id: ({ id }: WhoAndWhat) => id,
  session: ({ session }: WhoAndWhat) => session,
  chain: ({ chain }: WhoAndWhat) =>
    chain.map(({ id, kind, owner }) => `${id} (${kind}${owner === undefined ? "" : `, ${owner} answers for it`})`),
  groups: ({ groups }: WhoAndWhat) => groups.join(", "),
  ceiling: ({ ceiling }: WhoAndWhat) =>
    ceiling.map(({ actions, secrets, targets }) => `${actions.join(", ")} · secrets ${secrets.join(", ")} · targets ${targets.join(", ")}`),
  key: ({ thumbprint }: WhoAndWhat) => thumbprint,
};

export const sessionColumns: Columns<ReturnType<typeof sessionFacts>> = {
  ...whoColumns,
  "credential ends": ({ expiresAt }) => expiresAt,
  "session ends": ({ sessionEndsAt }) => sessionEndsAt,
};
