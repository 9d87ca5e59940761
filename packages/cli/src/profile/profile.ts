import { createPrivateKey } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { create, fromJson, toJson } from "@bufbuild/protobuf";
import { CredentialSchema, Refusal } from "@sallyport/contracts";
import { ProofMaker, parseEndpoints, Session } from "@sallyport/sdk";

/** A sign-in that the command line remembers: a key, the credential bound to it, and where they are used. One file, mode 0600. */
export function loadProfile(name: string): Session {
  const path = profilePath(name);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new Refusal("UNAUTHENTICATED", `You are not signed in as profile "${name}"; run: sallyport login`, { cause });
  }
  try {
    const { endpoints, privateKey, credential } = JSON.parse(text);
    const parsed = parseEndpoints(endpoints);
    if (parsed === undefined) throw new Error("no endpoints");
    return new Session(parsed, new ProofMaker(createPrivateKey(privateKey)), {
      credential: fromJson(CredentialSchema, credential),
    });
  } catch (cause) {
    throw new Refusal("UNAUTHENTICATED", `The file of profile "${name}" cannot be read; sign in again: sallyport login`, { cause });
  }
}

/** Keeps the session as it is now, whole or not at all. @returns the file */
export function saveProfile(name: string, session: Session): string {
  const path = profilePath(name);
  mkdirSync(profileFolder(), { recursive: true, mode: 0o700 });
  const content = {
    endpoints: session.endpoints,
    privateKey: session.proofs.privateKey.export({ type: "pkcs8", format: "pem" }),
    credential: toJson(CredentialSchema, create(CredentialSchema, session.credential)),
  };
  // A name of its own: two commands may renew at the same time.
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(content), { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
  return path;
}

export const forgetProfile = (name: string): void => rmSync(profilePath(name), { force: true });

/** Runs something with a remembered session, and remembers what it has become: its credential may have been renewed. */
export async function withProfile<T>(name: string, run: (session: Session) => Promise<T>): Promise<T> {
  const session = loadProfile(name);
  const { token } = session.credential;
  try {
    return await run(session);
  } catch (error) {
    throw error instanceof Refusal && error.reason === "CREDENTIAL_EXPIRED"
      ? new Refusal("CREDENTIAL_EXPIRED", `Your sign-in as profile "${name}" ran out; sign in again: sallyport login`, { cause: error })
      : error;
  } finally {
    if (session.credential.token !== token) saveProfile(name, session);
    session.close();
  }
}

const profileFolder = () => process.env.SALLYPORT_HOME ?? join(process.env.XDG_CONFIG_HOME ?? join(homedir(), ".config"), "sallyport");

function profilePath(name: string): string {
  if (!/^[a-z0-9-]{1,40}$/.test(name)) {
    throw new Refusal("INVALID_REQUEST", "A profile's name has lower-case letters, digits and -, at most 40.");
  }
  return join(profileFolder(), `${name}.json`);
}
