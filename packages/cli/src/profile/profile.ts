import { createPrivateKey } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { create, fromJson, toJson } from "@bufbuild/protobuf";
import { CredentialSchema, Refusal } from "@sallyport/contracts";
import { ProofMaker, parseEndpoints, Session } from "@sallyport/sdk";
import { parseSignIn, type RememberedSignIn } from "./remembered-sign-in.ts";

/** A sign-in that the command line remembers: a key, the credential bound to it, where they are used, and where it was begun. */
export interface Profile {
  readonly session: Session;
  /** Undefined where an ID token was given by hand. */
  readonly signIn: RememberedSignIn | undefined;
}

/** Reads the profile's one file, mode 0600. @throws Refusal UNAUTHENTICATED where there is none, or it is damaged */
export function loadProfile(name: string): Profile {
  const path = profilePath(name);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new Refusal("UNAUTHENTICATED", `You are not signed in as profile "${name}"; run: ${signInAs(name)}`, { cause });
  }
  try {
    const { endpoints, privateKey, credential, signIn } = JSON.parse(text);
    const parsed = parseEndpoints(endpoints);
    if (parsed === undefined) throw new Error("no endpoints");
    const session = new Session(parsed, new ProofMaker(createPrivateKey(privateKey)), fromJson(CredentialSchema, credential));
    return { session, signIn: parseSignIn(signIn) };
  } catch (cause) {
    throw new Refusal("UNAUTHENTICATED", `The file of profile "${name}" cannot be read; sign in again: ${signInAs(name)}`, { cause });
  }
}

const signInAs = (name: string) => `sallyport login${name === "default" ? "" : ` --profile ${name}`}`;

/** The profile where there is one that can be read. */
export function knownProfile(name: string): Profile | undefined {
  try {
    return loadProfile(name);
  } catch (error) {
    if (error instanceof Refusal && error.reason === "UNAUTHENTICATED") return undefined;
    throw error;
  }
}

/** Keeps the profile as it is now, whole or not at all. @returns the file */
export function saveProfile(name: string, { session, signIn }: Profile): string {
  const path = profilePath(name);
  mkdirSync(profileFolder(), { recursive: true, mode: 0o700 });
  const content = {
    endpoints: session.endpoints,
    privateKey: session.proofs.privateKey.export({ type: "pkcs8", format: "pem" }),
    credential: toJson(CredentialSchema, create(CredentialSchema, session.credential)),
    ...(signIn === undefined ? {} : { signIn }),
  };
  // A name of its own: two commands may renew at the same time.
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(content), { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
  return path;
}

export const forgetProfile = (name: string): void => rmSync(profilePath(name), { force: true });

export const profileFolder = () =>
  process.env.SALLYPORT_HOME ?? join(process.env.XDG_CONFIG_HOME ?? join(homedir(), ".config"), "sallyport");

export function profilePath(name: string): string {
  if (!/^[a-z0-9-]{1,40}$/.test(name)) {
    throw new Refusal("INVALID_REQUEST", "A profile's name has lower-case letters, digits and -, at most 40.");
  }
  return join(profileFolder(), `${name}.json`);
}
