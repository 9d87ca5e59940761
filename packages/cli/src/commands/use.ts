import { Command } from "commander";
import { useHttpCommand } from "./use/http.ts";

/** `sallyport use …` */
export const useCommand = (): Command =>
  new Command("use").description("have the broker use a secret for you; what comes back is masked").addCommand(useHttpCommand());
