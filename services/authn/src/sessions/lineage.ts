import { Refusal } from "@sallyport/contracts";
import { principalOf, providerOf } from "@sallyport/identity";
import type { RevocationLog } from "../revocation/revocation-log.ts";
import type { Moment } from "./credential-issuer.ts";
import { inLiveSecond, type Times } from "./live-second.ts";
import { ancestorIds, type Session } from "./session.ts";
import type { SessionStore, StoredSession } from "./session-store.ts";

/** A live session and the live sessions above it. */
export interface Lineage extends StoredSession {
  /** From the principal's down. */
  readonly ancestors: readonly Session[];
  /** When all this was so. What is issued on its strength is dated here, never later. */
  readonly moment: Moment;
}

export interface LineageSources extends Times {
  readonly sessions: SessionStore;
  readonly revocations: RevocationLog;
}

/**
 * Loads a session with every session above it, and refuses unless all of them live. Revocations are read first: whoever is
 * seen to have been narrowed there has the new ceiling in the records that are read after.
 * @throws Refusal CREDENTIAL_REVOKED
 */
export const liveLineage = (sid: string, sources: LineageSources): Promise<Lineage> =>
  inLiveSecond(sources, (moment) => lineageAt(moment, sid, sources));

async function lineageAt(moment: Moment, sid: string, { sessions, revocations }: LineageSources): Promise<Lineage | "dead"> {
  const { second } = moment;
  await revocations.readToEnd();
  const stored = await sessions.load(sid);
  if (stored === undefined || !lives(stored, second)) throw ended();
  const above = await Promise.all(ancestorIds(stored.session).map((id) => sessions.load(id)));
  const ancestors = above.filter((ancestor) => ancestor !== undefined && lives(ancestor, second)) as StoredSession[];
  if (ancestors.length < above.length) throw ended();
  const { chain, starts: sessionStarts } = stored.session;
  const why = revocations.set.revokes({ chain, sessionStarts, issuedAt: second, provider: providerOf(principalOf(chain).id) });
  if (why === "narrowed") return "dead";
  if (why !== undefined) throw ended();
  return { ...stored, ancestors: ancestors.map(({ session }) => session), moment };
}

const lives = ({ session }: StoredSession, second: number) => session.endsAt > second * 1000;

const ended = () =>
  new Refusal("CREDENTIAL_REVOKED", "This session, or one above it, has ended: sign in again, or have your parent delegate to you again.");
