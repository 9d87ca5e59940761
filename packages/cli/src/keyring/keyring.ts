import { existsSync } from "node:fs";
import { join } from "node:path";
import { printable } from "@sallyport/contracts";

/** The person's keyring in their operating system: the macOS Keychain, Windows' Credential Manager, a Secret Service on Linux. */
export interface Keyring {
  /** @returns undefined where it has none */
  get(account: string): string | undefined;
  set(account: string, value: string): void;
  delete(account: string): void;
}

/** There is none, and why: the middle of a sentence. */
export interface NoKeyring {
  readonly none: string;
}

/** What all entries of ours are known by. */
const service = "sallyport";

/** Loaded only when it is asked for. It is native: where it does not load, there is no keyring. */
export async function openKeyring(env: NodeJS.ProcessEnv = process.env, platform = process.platform): Promise<Keyring | NoKeyring> {
  if (platform === "linux" && !hasSessionBus(env)) return { none: "nobody's desktop session is here to keep one (no D-Bus session)" };
  try {
    const { Entry } = await import("@napi-rs/keyring");
    // On Linux never the kernel's keyring, which forgets at the next boot, and which other sessions of the user may not see.
    const entry = (account: string) => new Entry(service, account, { linux: { store: "secret-service" } });
    const keyring: Keyring = {
      get: (account) => entry(account).getPassword() ?? undefined,
      set: (account, value) => entry(account).setPassword(value),
      delete: (account) => void entry(account).deletePassword(),
    };
    // Whether it answers at all is known only by asking.
    keyring.get("-");
    return keyring;
  } catch (error) {
    return { none: `it does not answer: ${printable((error as Error).message, 200)}` };
  }
}

/** The D-Bus specification's address, or the place where systemd puts it. */
function hasSessionBus({ DBUS_SESSION_BUS_ADDRESS: address = "", XDG_RUNTIME_DIR: runtime = "" }: NodeJS.ProcessEnv): boolean {
  return address !== "" || (runtime !== "" && existsSync(join(runtime, "bus")));
}
