import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { createLogger, initKeys, loadConfig, type ProcessOptions, roles, runProcess, type ServiceRole } from "@sallyport/service";
import { Argument, Command } from "commander";
import { version } from "../version.ts";

/** Milliseconds after a signal by which the process is gone, drained or not. */
const lastMomentMs = 25_000;

/** The services by name: the same `main.ts` whether one runs alone or all in one process. */
const load = (role: ServiceRole): ReturnType<ProcessOptions["load"]> => {
  switch (role) {
    case "authn":
      return import("@sallyport/authn");
    case "pdp":
      return import("@sallyport/pdp");
    case "broker":
      return import("@sallyport/broker");
    case "audit":
      return import("@sallyport/audit");
  }
};

/** `sallyport start`: all four services in one process, or those that are named. */
export function startCommand(): Command {
  return new Command("start")
    .description("run all four services in this process, one of them, or one and pdp, which then decides for that one alone")
    .addArgument(new Argument("[services...]", "which").choices([...roles]))
    .option("-c, --config <file>", "the configuration", "sallyport.yaml")
    .action(async (named: ServiceRole[], { config: file }: { config: string }) => {
      keepMemoryOutOfCores();
      boundYoungMemory();
      const config = await loadConfig(file);
      const log = createLogger();
      // Split services share keys that somebody handed out; only the embedded form may make its own.
      if (named.length === 0 && !existsSync(join(config.dataDir, "keys"))) {
        const made = await initKeys({ dataDir: config.dataDir, trustDomain: config.trustDomain });
        log.info({ dataDir: config.dataDir, made: made.length }, "new data folder: made its keys and certificates, as sallyport init does");
      }
      // From here on a signal means: in order. One that comes while services start is obeyed when they have.
      const signalled = firstSignal();
      const running = await runProcess({ config, roles: named.length === 0 ? roles : named, load, version, log });
      log.info({ version, startedInMs: Math.round(performance.now()) }, "serving");
      const signal = await signalled;
      log.info({ signal }, "stopping");
      setTimeout(() => process.exit(1), lastMomentMs).unref();
      for (const again of ["SIGTERM", "SIGINT"] as const) process.once(again, () => process.exit(1));
      await running.stop();
      // Nothing is left to do; a library's idle timer must not hold the process.
      process.exit(0);
    });
}

const firstSignal = () =>
  new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
  });

/**
 * Half of what V8 would let new objects take before it looks which are still used: a burst of calls otherwise leaves some 30 MB more
 * with the process for good.
 */
function boundYoungMemory(): void {
  setFlagsFromString("--max-semi-space-size=32");
}

/** A core file would hold secret values: on Linux the process asks for cores without any of its memory (core(5)). */
function keepMemoryOutOfCores(): void {
  if (process.platform !== "linux") return;
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch {
    // A locked-down /proc, as in some containers, whose runtime then decides about cores.
  }
}
