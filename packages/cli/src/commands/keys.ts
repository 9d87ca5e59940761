import { Command } from "commander";
import { keysListCommand } from "./keys/list.ts";
import { rotateCommand } from "./keys/rotate.ts";

/** `sallyport keys`: what signs credentials, on the machine that authn runs on. */
export function keysCommand(): Command {
  return new Command("keys")
    .description("the keys that sign credentials; reads and writes authn's key file")
    .addCommand(keysListCommand())
    .addCommand(rotateCommand());
}
