import { createPrivateKey } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { create, fromJson, toJson } from "@bufbuild/protobuf";
import { CredentialSchema, printable, Refusal } from "@sallyport/contracts";
import { ProofMaker, parseEndpoints, Session } from "@sallyport/sdk";
import { seal, unseal } from "../keyring/seal.ts";
import { forgetSealKey, sealKeyOf } from "./profile-key.ts";
import { parseSignIn, type RememberedSignIn } from "./remembered-sign-in.ts";

/** A sign-in that the command line remembers: a key, the credential bound to it, where they are used, and where it was begun. */
export interface Profile {
  readonly session: Session;
  /** Undefined where an ID token was given by hand. */
  readonly signIn: RememberedSignIn | undefined;
  /** What its file is sealed by; undefined where it is in the clear. */
  readonly sealKey?: Uint8Array | undefined;
}

/** Reads the profile's one file, mode 0600. @throws Refusal UNAUTHENTICATED where there is none, it is damaged, or the keyring does not open it */
export async function loadProfile(name: string): Promise<Profile> {
  const path = profilePath(name);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new Refusal("UNAUTHENTICATED", `You are not signed in as profile "${name}"; run: ${signInAs(name)}`, { cause });
  }
  const sealKey = isSealed(text) ? await keyringKey(name, path) : undefined;
  try {
    const { endpoints, privateKey, credential, signIn } = JSON.parse(
      sealKey === undefined ? text : unseal(sealKey, name, JSON.parse(text).sealed),
    );
    const parsed = parseEndpoints(endpoints);
    if (parsed === undefined) throw new Error("no endpoints");
    const session = new Session(parsed, new ProofMaker(createPrivateKey(privateKey)), fromJson(CredentialSchema, credential));
    return { session, signIn: parseSignIn(signIn), sealKey };
  } catch (cause) {
    throw new Refusal("UNAUTHENTICATED", `The file of profile "${name}" cannot be read; sign in again: ${signInAs(name)}`, { cause });
  }
}

const isSealed = (text: string): boolean => /^\{"sealed":/.test(text);

function keyringKey(name: string, path: string): Promise<Uint8Array> {
  return sealKeyOf(path).catch((cause: Error) => {
    throw new Refusal(
      "UNAUTHENTICATED",
      `Profile "${name}" is sealed by a key in the system's keyring, which cannot be had. ${printable(cause.message, 300)} Unlock the keyring, or sign in again: ${signInAs(name)}`,
      { cause },
    );
  });
}

const signInAs = (name: string) => `sallyport login${name === "default" ? "" : ` --profile ${name}`}`;

/** The profile where there is one that can be read. */
export async function knownProfile(name: string): Promise<Profile | undefined> {
  try {
    return await loadProfile(name);
  } catch (error) {
    if (error instanceof Refusal && error.reason === "UNAUTHENTICATED") return undefined;
    throw error;
  }
}

/** Keeps the profile as it is now, whole or not at all. @returns the file */
export function saveProfile(name: string, { session, signIn, sealKey }: Profile): string {
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
  const text = JSON.stringify(content);
  writeFileSync(draft, sealKey === undefined ? text : JSON.stringify({ sealed: seal(sealKey, name, text) }), { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
  return path;
}

/** @returns why the keyring still has the key that sealed it; undefined where nothing is left */
export async function forgetProfile(name: string): Promise<string | undefined> {
  const path = profilePath(name);
  const sealed = existsSync(path) && isSealed(readFileSync(path, "utf8"));
  rmSync(path, { force: true });
  return sealed ? forgetSealKey(path) : undefined;
}

export const profileFolder = () =>
  process.env.SALLYPORT_HOME ?? join(process.env.XDG_CONFIG_HOME ?? join(homedir(), ".config"), "sallyport");

export function profilePath(name: string): string {
  if (!/^[a-z0-9-]{1,40}$/.test(name)) {
    throw new Refusal("INVALID_REQUEST", "A profile's name has lower-case letters, digits and -, at most 40.");
  }
  return join(profileFolder(), `${name}.json`);
}
