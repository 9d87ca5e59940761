import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a command is that `PATH` finds. */
export function onPath(command: string): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return join(folder, command);
    } catch {
      // not here
    }
  }
  return undefined;
}
