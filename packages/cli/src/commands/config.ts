import { loadConfig } from "@sallyport/service";
import { Command } from "commander";

/** `sallyport config check`: whether a configuration is valid, and where not. */
export function configCommand(): Command {
  const config = new Command("config").description("look at a configuration");
  config
    .command("check")
    .description("say whether the configuration is valid, and where not")
    .option("-c, --config <file>", "the configuration", "sallyport.yaml")
    .action(async ({ config: file }: { config: string }) => {
      await loadConfig(file);
      process.stdout.write(`${file} is valid\n`);
    });
  return config;
}
