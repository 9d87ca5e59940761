import { Refusal } from "@sallyport/contracts";
import { principalOf, providerOf } from "@sallyport/identity";
import type { RevocationLog } from "../revocation/revocation-log.ts";
import type { Moment } from "./credential-issuer.ts";
import { inLiveSecond, type Times } from "./live-second.ts";
import { type Session, sidsAbove } from "./session.ts";
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
 * Loads a session with every session above it, and refuses unless all of them live. Revocations are read at the same time; where one
 * of these was ever narrowed, its record is read after them, as it has the new ceiling then. One that is narrowed from now on
 * takes with it what is dated at this moment.
 * @param above who is thought to be above it, so that they need not be waited for
 * @throws Refusal CREDENTIAL_REVOKED where one was ended, CREDENTIAL_EXPIRED where one's life is over
 */
export const liveLineage = (sid: string, sources: LineageSources, above?: readonly string[]): Promise<Lineage> =>
  inLiveSecond(sources, (moment) => lineageAt(moment, sid, sources, above));

async function lineageAt(
  moment: Moment,
  sid: string,
  { sessions, revocations }: LineageSources,
  expected: readonly string[] = [],
): Promise<Lineage | "dead"> {
  const { second } = moment;
  const ids = [sid, ...expected];
  const load = () => Promise.all(ids.map((id) => sessions.load(id)));
  let [loaded] = await Promise.all([load(), revocations.readToEnd()]);
  if (ids.some((id) => revocations.set.hasNarrowed(id))) loaded = await load();
  const [stored] = loaded;
  // A record goes when its session's life is over, and not before: what is revoked stays, and is told apart below.
  if (stored === undefined) throw over();
  const above = await Promise.all(
    sidsAbove(stored.session.chain).map((id) => (expected.includes(id) ? loaded[ids.indexOf(id)] : sessions.load(id))),
  );
  const ancestors = above.filter((ancestor) => ancestor !== undefined && lives(ancestor, second)) as StoredSession[];
  const { chain, starts: sessionStarts } = stored.session;
  const why = revocations.set.revokes({ chain, sessionStarts, issuedAt: second, provider: providerOf(principalOf(chain).id) });
  if (why === "narrowed") return "dead";
  if (why !== undefined) throw ended();
  if (!lives(stored, second) || ancestors.length < above.length) throw over();
  return { ...stored, ancestors: ancestors.map(({ session }) => session), moment };
}

const lives = ({ session }: StoredSession, second: number) => session.endsAt > second * 1000;

const over = () =>
  new Refusal(
    "CREDENTIAL_EXPIRED",
    "The life of this session, or of one above it, is over: sign in again, or have your parent delegate anew.",
  );

const ended = () =>
  new Refusal("CREDENTIAL_REVOKED", "This session, or one above it, was ended: sign in again, or have your parent delegate to you again.");
