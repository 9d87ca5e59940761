import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, realpathSync, statSync } from "node:fs";
import { Refusal } from "@sallyport/contracts";
import { profileFolder } from "../../profile/profile.ts";
import { withheldSockets, withoutWithheld } from "./environment.ts";

/**
 * A network of its own, with nothing but a loopback in it; and users of its own, so that nothing in it can look into processes
 * outside, whoever they belong to. Root has no capabilities in it, with which it could take away what hides things; and what needs
 * none but to be root (disks, the kernel's settings) is not there, or read-only.
 */
const always = [
  ...["--unshare-user", "--unshare-net", "--unshare-ipc", "--die-with-parent", "--cap-drop", "ALL"],
  ...["--bind", "/", "/", "--dev", "/dev", "--ro-bind-try", "/sys", "/sys"],
];
/** Where it can be had: processes of its own too, which end with it. A container's own rules may keep this from us. */
const ownProcesses = ["--unshare-pid", "--proc", "/proc"];
/** Bubblewrap itself leaves them writable to a root without capabilities. */
const kernelSettings = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"].flatMap((path) => ["--ro-bind-try", path, path]);

/**
 * Starts this program again in a namespace, where it makes the listener for the tool and hands it out (`startInside`). Its environment can
 * be read in there, so it is the tool's. It is away from the terminal that this process may have: no terminal of its own means that it can
 * type nothing into it (TIOCSTI), to be run outside after its end; signals of the terminal's come to it by way of this process.
 *
 * @throws Refusal
 */
export function startInNamespace(tool: string, args: readonly string[], hidden: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const isolation = isolationHere();
  if (isolation === undefined) throw noNamespace();
  const empty = ["/run", profileFolder(), ...hidden].filter((path) => existsSync(path)).flatMap((path) => ["--tmpfs", realpathSync(path)]);
  const unreachable = withheldSockets(env)
    .filter(isSocket)
    .flatMap((path) => ["--ro-bind", "/dev/null", realpathSync(path)]);
  const self = [process.execPath, ...process.execArgv, process.argv[1] as string, "run", "--inside-namespace", "--", tool, ...args];
  return spawn("bwrap", [...isolation, ...unreachable, ...empty, "--", ...self], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: withoutWithheld(env),
    // A session of its own, bubblewrap's included: else Ctrl-C ended that, and so the tool before it could end by itself.
    detached: true,
  });
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    // What this process cannot reach the tool cannot either.
    return false;
  }
}

function isolationHere(): readonly string[] | undefined {
  if (process.platform !== "linux") return undefined;
  return [ownProcesses, []]
    .map((processes) => [...always, ...processes, ...kernelSettings])
    .find((flags) => spawnSync("bwrap", [...flags, "--", "/bin/true"], { stdio: "ignore" }).status === 0);
}

const noNamespace = () =>
  new Refusal(
    "INVALID_REQUEST",
    "No network namespace can be had here (Linux with bubblewrap makes one), so others could act as the tool. Install bubblewrap, or accept that with --shared-user.",
  );
