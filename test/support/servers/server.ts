import { cpSync, mkdirSync, rmSync } from "node:fs";
import { Child } from "../process/child.ts";
import { until } from "../process/port.ts";
import { removeScratch, scratchFolder } from "../process/scratch.ts";

/** A real server that a test talks to. One that an environment variable names is not ours: only `address` is of use there. */
export interface Server {
  readonly address: string;
  /** Whether it was started here, so that it can be paused, killed and emptied. */
  readonly ours: boolean;
  stop(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Ends it (SIGKILL where it is paused) and starts it again at the same address: with what it had, with nothing, or with a copy of its folder. */
  restart(options?: { empty?: boolean; from?: string }): Promise<void>;
}

/** What it keeps, and what it printed last; `folder` is empty where it is not ours. */
export interface OwnServer extends Server {
  readonly folder: string;
  output(): string;
}

/** There is no such server, and why, with how to get one. */
export interface Skipped {
  readonly skipped: string;
}

export const isSkipped = (found: object): found is Skipped => "skipped" in found;

/** Finds or starts one kind of server. */
export interface Finder<S extends Server, O = undefined> {
  (options?: O): Promise<S | Skipped>;
  /** Why there is none, known without starting it; undefined where there is one. */
  missing(): string | undefined;
}

/** How to start a server that we own. */
export interface Recipe {
  name: string;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  /** Before its first start and after it was emptied. */
  prepare?: () => Promise<void>;
  ready: () => Promise<boolean>;
  startMs?: number;
  /** After each start. */
  started?: () => Promise<void>;
}

/** Starts a server in a folder of its own. */
export async function own(address: string, recipeFor: (folder: string) => Recipe): Promise<OwnServer> {
  const folder = scratchFolder("server");
  const recipe = recipeFor(folder);
  let child: Child | undefined;
  const start = async () => {
    const started = await Child.start(recipe.command, recipe.args, { cwd: folder, env: recipe.env ?? process.env });
    child = started;
    await until(
      `${recipe.name} to start`,
      async () => {
        if (!started.running) throw new Error(`${recipe.name} ended at its start: ${started.output.slice(-2000)}`);
        return recipe.ready();
      },
      recipe.startMs ?? 30_000,
    );
    await recipe.started?.();
  };
  await recipe.prepare?.();
  try {
    await start();
  } catch (error) {
    // A start script's own child does not end with it, unless it is told to by a signal that the script can pass on.
    await child?.stop();
    removeScratch(folder);
    throw error;
  }
  return {
    address,
    ours: true,
    folder,
    output: () => child?.output ?? "",
    stop: async () => {
      await child?.stop();
      removeScratch(folder);
    },
    kill: async () => child?.kill(),
    pause: () => child?.pause(),
    resume: () => child?.resume(),
    restart: async ({ empty = false, from } = {}) => {
      const loses = empty || from !== undefined;
      await (loses ? child?.kill() : child?.stop());
      if (loses) {
        rmSync(folder, { recursive: true, force: true });
        if (from === undefined) mkdirSync(folder);
        else cpSync(from, folder, { recursive: true });
      }
      if (empty) await recipe.prepare?.();
      await start();
    },
  };
}

/** A server that an environment variable names. */
export function theirs(address: string): OwnServer {
  const no = () => {
    throw new Error(`${address} was not started here`);
  };
  return { address, ours: false, folder: "", output: () => "", stop: async () => undefined, kill: no, pause: no, resume: no, restart: no };
}
