import { Option } from "commander";
import { seconds } from "./seconds.ts";

/** How long `--wait` waits where it is told no number: as long as reviews usually last. */
export const maxWaitSeconds = 3600;

export const waitOption = (description: string): Option =>
  new Option("--wait [seconds]", `${description}; ${maxWaitSeconds} s unless said`).argParser(seconds(1, 86_400));
