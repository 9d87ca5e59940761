import { existsSync } from "node:fs";
import { join } from "node:path";
import { createLogger, initKeys, loadConfig, type ProcessOptions, roles, runProcess, type ServiceRole } from "@sallyport/service";
import { Argument, Command } from "commander";
import { version } from "../version.ts";

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

/** `sallyport start`: all four services in one process, or the one that is named. */
export function startCommand(): Command {
  return new Command("start")
    .description("run all four services in this process, or one of them")
    .addArgument(new Argument("[service]", "which one").choices([...roles]))
    .option("-c, --config <file>", "the configuration", "sallyport.yaml")
    .action(async (role: ServiceRole | undefined, { config: file }: { config: string }) => {
      const config = await loadConfig(file);
      // Split services share keys that somebody handed out; only the embedded form may make its own.
      if (role === undefined && !existsSync(join(config.dataDir, "keys"))) {
        const made = await initKeys({ dataDir: config.dataDir, trustDomain: config.trustDomain });
        process.stderr.write(
          `New data folder: made ${made.length} keys and certificates in ${join(config.dataDir, "keys")}, as \`sallyport init\` would have.\n`,
        );
      }
      const running = await runProcess({ config, roles: role === undefined ? roles : [role], load, version, log: createLogger() });
      await new Promise<void>((resolve) => {
        for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
      });
      await running.stop();
      // Nothing is left to do; a library's idle timer must not hold the process.
      process.exit(0);
    });
}
