import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Binding, type RosterService } from "@sallyport/contracts";
import { ceilingToWire, chainToWire, principalOf } from "@sallyport/identity";
import type { Gate, Handlers } from "@sallyport/service";
import * as drafts from "../evidence/drafts.ts";
import type { Evidence } from "../evidence/evidence.ts";
import { recorded } from "../evidence/recorded.ts";
import type { Roster } from "./roster.ts";
import type { Session } from "./session.ts";

/** RosterService. */
export function rosterHandlers(gate: Gate, roster: Roster, evidence: Evidence): Handlers<typeof RosterService> {
  return {
    listLiveSessions: ({ principal, pageSize, pageToken: after }, call) =>
      recorded(evidence, "session.list", call, async (story) => {
        const caller = await gate.authenticate(call);
        story.chain = caller.chain;
        const { sessions, next } = await roster.page({ principal, pageSize, after }, caller);
        if (principal !== "" && principal !== principalOf(caller.chain).id) {
          await evidence.record(drafts.rosterRead(caller.chain, principal, { ...story.origin, thumbprint: caller.thumbprint }));
        }
        return { sessions: sessions.map(sessionToWire), nextPageToken: next ?? "" };
      }),
  };
}

const sessionToWire = ({ chain, ceiling, starts, endsAt, binding, holder }: Session) => ({
  chain: chainToWire(chain),
  ceiling: ceilingToWire(ceiling),
  startedAt: timestampFromMs((starts.at(-1) as number) * 1000),
  endsAt: timestampFromMs(endsAt),
  binding: binding === "mtls" ? Binding.MTLS : Binding.DPOP,
  thumbprint: holder.kind === "none" ? "" : holder.thumbprint,
  enrolled: holder.kind === "key",
});
