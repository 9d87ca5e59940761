import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Refusal } from "@sallyport/contracts";
import { exchangeIdToken, type Session } from "@sallyport/sdk";
import { withLock } from "../files/lock.ts";
import { loadProfile, type Profile, profilePath, saveProfile } from "./profile.ts";

/**
 * Runs something with a remembered session, and remembers what it has become. A credential that has expired is renewed; a
 * session whose life is over begins anew where the issuer gave a refresh token. One that was ended by somebody stays ended.
 */
export async function withProfile<T>(name: string, run: (session: Session) => Promise<T>): Promise<T> {
  const { session, signIn, sealKey } = await liveProfile(name, await loadProfile(name));
  const { token } = session.credential;
  try {
    return await run(session);
  } catch (error) {
    throw isExpired(error) ? ranOut(name, error) : error;
  } finally {
    if (session.credential.token !== token) saveProfile(name, { session, signIn, sealKey });
    session.close();
  }
}

async function liveProfile(name: string, profile: Profile): Promise<Profile> {
  const { session, signIn } = profile;
  const { expiresAt } = session.credential;
  if (expiresAt !== undefined && timestampMs(expiresAt) > Date.now()) return profile;
  try {
    session.adopt((await session.tokens.renew({})).credential);
    saveProfile(name, profile);
    return profile;
  } catch (error) {
    session.close();
    if (!isExpired(error)) throw error;
    if (signIn?.refreshToken === undefined) throw ranOut(name, error);
  }
  // One command at a time: an issuer takes each refresh token once, and may end them all where one comes twice.
  return withLock(`${profilePath(name)}.lock`, () => signedInAgain(name, session.credential.token));
}

/** @param spent the credential that was found to be over; another one in the file means that somebody was faster */
async function signedInAgain(name: string, spent: string): Promise<Profile> {
  const profile = await loadProfile(name);
  const { session: before, signIn, sealKey } = profile;
  if (before.credential.token !== spent || signIn?.refreshToken === undefined) return profile;
  before.close();
  const { refreshAt } = await import("../sign-in/refresh.ts");
  const { idToken, refreshToken } = await refreshAt(signIn, signIn.refreshToken).catch((error: unknown) => {
    throw error instanceof Refusal && error.reason === "UNAUTHENTICATED" ? ranOut(name, error) : error;
  });
  const kept = { ...signIn, refreshToken };
  saveProfile(name, { session: before, signIn: kept, sealKey });
  // Never for more than before: whoever was signed in for less stays so.
  const agent = before.chain.links.at(-1)?.id.split("#")[1];
  const session = await exchangeIdToken(before.endpoints, idToken, { ceiling: before.ceiling, agentName: agent ?? "" });
  const again = { session, signIn: kept, sealKey };
  saveProfile(name, again);
  return again;
}

const isExpired = (error: unknown) => error instanceof Refusal && error.reason === "CREDENTIAL_EXPIRED";

const ranOut = (name: string, cause: unknown) =>
  new Refusal("CREDENTIAL_EXPIRED", `Your sign-in as profile "${name}" ran out; sign in again: sallyport login`, { cause });
