import { Command } from "commander";
import { killCommand } from "./sessions/kill.ts";
import { sessionsListCommand } from "./sessions/list.ts";
import { sessionsShowCommand } from "./sessions/show.ts";

/** `sallyport sessions`: which agents live now, and their end. */
export function sessionsCommand(): Command {
  return new Command("sessions")
    .description("the agents that live now")
    .addCommand(sessionsListCommand())
    .addCommand(sessionsShowCommand())
    .addCommand(killCommand());
}
