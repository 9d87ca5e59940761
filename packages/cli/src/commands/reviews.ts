import { Command } from "commander";
import { decideCommand } from "./reviews/decide.ts";
import { listCommand } from "./reviews/list.ts";
import { showCommand } from "./reviews/show.ts";

/** `sallyport reviews …` */
export const reviewsCommand = (): Command =>
  new Command("reviews")
    .description("see what waits for a decision, and decide it")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(decideCommand("approve"))
    .addCommand(decideCommand("reject"));
