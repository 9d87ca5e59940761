import { Command } from "commander";
import { collect } from "../../input/collect.ts";
import { note } from "../../output/print.ts";
import { configOption, editConfig, put } from "./edit.ts";

interface Options {
  store: string;
  path?: string;
  field: string[];
  category: string[];
  replace?: true;
  config: string;
}

export function addSecretCommand(): Command {
  return new Command("secret")
    .description("a secret: which store keeps it and what policies call it; never its value (that is `secrets write`)")
    .argument("<name>", "such as prod/orders/api")
    .requiredOption("--store <name>", "the store that keeps it")
    .option("--path <path>", "where the store keeps it; the secret's own name unless said")
    .requiredOption("--field <name>", "a field of it (repeatable)", collect)
    .option("--category <name>", "a label that policies speak of (repeatable)", collect, [])
    .option("--replace", "put it in the place of the one with this name")
    .addOption(configOption())
    .action(async (name: string, { store, path, field, category, replace, config }: Options) => {
      const secret = {
        store,
        ...(path === undefined ? {} : { path }),
        fields: field,
        ...(category.length === 0 ? {} : { categories: category }),
      };
      await editConfig(config, (document) => put(document, ["secrets", name], secret, replace));
      note(`Added secret ${name} to ${config}.`);
    });
}
