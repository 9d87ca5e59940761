import { Command } from "commander";
import { listCommand } from "./secrets/list.ts";
import { readCommand } from "./secrets/read.ts";
import { writeCommand } from "./secrets/write.ts";

/** `sallyport secrets …` */
export const secretsCommand = (): Command =>
  new Command("secrets")
    .description("see which secrets there are, and store new versions; no value is ever shown")
    .addCommand(listCommand())
    .addCommand(readCommand())
    .addCommand(writeCommand());
