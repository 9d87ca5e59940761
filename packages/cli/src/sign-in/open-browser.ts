import { spawn } from "node:child_process";

const commands: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/** Whether a browser opened here would be seen by whoever typed the command. */
export function canShowBrowser(env: NodeJS.ProcessEnv = process.env, platform = process.platform): boolean {
  const has = (name: string) => (env[name] ?? "") !== "";
  if (has("SSH_CONNECTION") || has("SSH_TTY")) return false;
  return platform === "darwin" || platform === "win32" || has("DISPLAY") || has("WAYLAND_DISPLAY");
}

/** Opens the address in the person's browser, where one can be had. Never by a shell, which would read the address. */
export function openBrowser(url: string): void {
  const [command, ...args] = commands[process.platform] ?? ["xdg-open"];
  const child = spawn(command, [...args, url], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
