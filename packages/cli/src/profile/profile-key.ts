import { Refusal } from "@sallyport/contracts";
import { Option } from "commander";
import { type Keyring, openKeyring } from "../keyring/keyring.ts";
import { isSealKey, newSealKey } from "../keyring/seal.ts";

/** Where what opens a profile is kept. */
export type Keep = "keyring" | "file" | undefined;

export const keepOption = (): Option =>
  new Option(
    "--keep <where>",
    "keep the key and the credential sealed by the system's keyring, or in a file of mode 0600; left out, the keyring where there is one",
  )
    .choices(["keyring", "file"])
    .env("SALLYPORT_KEEP");

/** What a profile's file is sealed by from now on, or why it is not. */
export type Sealing = { readonly key: Uint8Array } | { readonly key: undefined; readonly why: string };

/**
 * The key that seals a profile's file, which lies in the keyring: without the keyring the file is worth nothing, and the keyring's entry is small and
 * stays the same while credentials come and go.
 * @param account what the keyring knows it by: the file's path
 * @throws Refusal INVALID_REQUEST where a keyring is asked for and there is none
 */
export async function sealingOf(account: string, keep: Keep): Promise<Sealing> {
  if (keep === "file") return { key: undefined, why: "as you said" };
  const keyring = await openKeyring();
  if ("none" in keyring) return without(keep, keyring.none);
  try {
    const key = keyIn(keyring, account) ?? newSealKey();
    keyring.set(account, Buffer.from(key).toString("base64url"));
    return { key };
  } catch (error) {
    return without(keep, `it does not take it: ${(error as Error).message}`);
  }
}

function without(keep: Keep, why: string): Sealing {
  if (keep === "keyring")
    throw new Refusal("INVALID_REQUEST", `There is no keyring to keep it in: ${why}. Leave --keep out, or say --keep file.`);
  return { key: undefined, why: `there is no keyring to keep it in: ${why}` };
}

/** @throws Error that says why it cannot be had */
export async function sealKeyOf(account: string): Promise<Uint8Array> {
  const keyring = await openKeyring();
  if ("none" in keyring) throw new Error(`There is no keyring: ${keyring.none}.`);
  const key = keyIn(keyring, account);
  if (key === undefined) throw new Error("The keyring has no key for it.");
  return key;
}

/** What was sealed by it is worth nothing from now on, copies of it too. @returns why that could not be done; undefined where it is */
export async function forgetSealKey(account: string): Promise<string | undefined> {
  const keyring = await openKeyring();
  if ("none" in keyring) return keyring.none;
  try {
    keyring.delete(account);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function keyIn(keyring: Keyring, account: string): Uint8Array | undefined {
  const key = Buffer.from(keyring.get(account) ?? "", "base64url");
  return isSealKey(key) ? key : undefined;
}
