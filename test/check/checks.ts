import { command } from "./command.ts";
import { schemaIsCurrent } from "./config-schema.ts";
import { contractsAreCurrent, contractsDoNotBreak } from "./contracts.ts";
import { floorsHold } from "./floors.ts";
import { lockNamesNoHost } from "./lock.ts";

/** Says what is wrong, a line each; nothing where all is well. */
export type Check = () => Promise<string[]>;

/** Every check by its name, the slow ones first. */
export const allChecks: Record<string, Check> = {
  types: command("tsc", ["-p", "tsconfig.json", "--incremental", "--tsBuildInfoFile", "node_modules/.cache/types.tsbuildinfo"]),
  contracts: contractsAreCurrent,
  unused: command("knip", ["--no-progress", "--no-config-hints"]),
  floors: floorsHold,
  style: command("biome", ["ci", "--colors=off", "."]),
  "buf lint": command("buf", ["lint"]),
  "buf breaking": contractsDoNotBreak,
  lock: lockNamesNoHost,
  schema: schemaIsCurrent,
};
