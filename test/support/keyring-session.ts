import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { removeScratch, scratchFolder } from "./process/scratch.ts";

/** In a session bus of its own: an unlocked keyring, then the bus's address; it all ends with its standard input. */
const script = `printf '%s' a-password-of-a-test | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null
echo "$DBUS_SESSION_BUS_ADDRESS"
cat >/dev/null`;

/** A desktop session as far as a keyring needs one: D-Bus and a real Secret Service, whose keyring is empty. */
export class KeyringSession {
  /** Where programs find it. */
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #home: string;

  private constructor(child: ChildProcess, home: string, address: string) {
    this.#child = child;
    this.#home = home;
    this.address = address;
  }

  static async start(): Promise<KeyringSession> {
    const home = scratchFolder("keyring");
    const env = { PATH: process.env.PATH ?? "", HOME: home, XDG_RUNTIME_DIR: home };
    const child = spawn("dbus-run-session", ["--", "sh", "-c", script], { env, stdio: ["pipe", "pipe", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
    const line = once(createInterface({ input: child.stdout }), "line") as Promise<[string]>;
    const ended = once(child, "close").then(() => Promise.reject(new Error(`the keyring's session ended: ${said}`)));
    ended.catch(() => {});
    const [address] = await Promise.race([line, ended]);
    return new KeyringSession(child, home, address);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const closed = once(this.#child, "close");
      this.#child.stdin?.end();
      await closed;
    }
    removeScratch(this.#home);
  }
}
