import { type ChildProcess, spawn } from "node:child_process";

/**
 * A shell that outlives this process by a moment: it knows which processes and folders belong to the tests and removes
 * them when its standard input ends, which also happens when this process is killed.
 */
const script = `
while read -r verb what; do
  case "$verb" in
    process) processes="$processes $what" ;;
    folder) folders="$folders $what" ;;
    ended) processes=$(echo "$processes " | sed "s/ $what / /") ;;
    removed) folders=$(echo "$folders " | sed "s| $what | |") ;;
  esac
done
[ -z "$processes" ] || kill -9 $processes 2>/dev/null
[ -z "$folders" ] || { sleep 0.2; rm -rf $folders; }
`;

let reaper: ChildProcess | undefined;

/** Tells the reaper of a process or a folder, or that one is gone already. */
export function tellReaper(verb: "process" | "folder" | "ended" | "removed", what: number | string): void {
  if (reaper === undefined) {
    reaper = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    reaper.stdin?.on("error", () => undefined);
    (reaper.stdin as unknown as { unref(): void } | null)?.unref();
    reaper.unref();
  }
  reaper.stdin?.write(`${verb} ${what}\n`);
}
