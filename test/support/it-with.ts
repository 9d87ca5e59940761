import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromiumFile } from "./browser/chromium-file.ts";

/** A program that a test runs, and how it is known to be there. */
export interface Tool {
  readonly name: string;
  /** Ends with 0 where it is there. */
  readonly asks?: readonly [command: string, ...args: string[]];
  readonly file?: string;
  /** How to get it. */
  readonly get: string;
}

export const tools = {
  /** A container's own rules may keep namespaces from it. */
  bubblewrap: {
    name: "network namespaces by bubblewrap",
    asks: ["bwrap", "--unshare-user", "--unshare-net", "--bind", "/", "/", "--dev", "/dev", "--", "/bin/true"],
    get: "apt-get install bubblewrap, on a kernel that lets users have namespaces",
  },
  chromium: {
    name: "Chromium",
    file: chromiumFile(),
    get: "apt-get install chromium, or set SALLYPORT_TEST_CHROMIUM=/path/to/chromium",
  },
  curl: { name: "curl", asks: ["curl", "--version"], get: "apt-get install curl" },
  git: { name: "git-http-backend", file: "/usr/lib/git-core/git-http-backend", get: "apt-get install git" },
  go: { name: "Go", asks: ["go", "version"], get: "install Go 1.21 or newer" },
  h2load: { name: "h2load", asks: ["h2load", "--version"], get: "apt-get install nghttp2-client" },
  keyring: {
    name: "keyring of a desktop",
    asks: ["sh", "-c", "command -v dbus-run-session && command -v gnome-keyring-daemon"],
    get: "apt-get install dbus-daemon gnome-keyring",
  },
  npm: { name: "npm", asks: ["npm", "--version"], get: "install npm" },
  python: { name: "Python", asks: ["python3", "--version"], get: "apt-get install python3" },
  pip: { name: "pip", asks: ["python3", "-m", "pip", "--version"], get: "apt-get install python3-pip" },
  requests: { name: "Python with requests", asks: ["python3", "-c", "import requests"], get: "apt-get install python3-requests" },
} as const satisfies Record<string, Tool>;

const isThere = ({ asks, file }: Tool): boolean => {
  if (file !== undefined) return existsSync(file);
  const [command, ...args] = asks ?? ["false"];
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
};

const lacking = (needed: readonly Tool[]): string =>
  needed
    .filter((tool) => !isThere(tool))
    .map(({ name, get }) => `no ${name}: ${get}`)
    .join("; ");

/** `it` for a test that runs other programs: where one is not there it is pending, and its title says which and how to get it. */
export function itWith(needed: readonly Tool[], title: string, body: Mocha.AsyncFunc): void {
  const reasons = lacking(needed);
  if (reasons === "") it(title, body);
  else it.skip(`${title} [not run: ${reasons}]`, body);
}

/** `describe` likewise. */
export function describeWithTools(needed: readonly Tool[], title: string, body: (this: Mocha.Suite) => void): void {
  const reasons = lacking(needed);
  if (reasons === "") describe(title, body);
  else describe.skip(`${title} [not run: ${reasons}]`, body);
}
