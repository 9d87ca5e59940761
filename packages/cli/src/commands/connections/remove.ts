import { printable, Refusal } from "@sallyport/contracts";
import { Argument, Command } from "commander";
import { note } from "../../output/print.ts";
import { indexOfIssuer } from "./add-issuer.ts";
import { configOption, editConfig } from "./edit.ts";

const sections = { store: "stores", secret: "secrets", target: "targets" } as const;

export function removeCommand(): Command {
  return new Command("rm")
    .description("take a connection out of the configuration; refused while something else needs it")
    .addArgument(new Argument("<what>").choices([...Object.keys(sections), "issuer"]))
    .argument("<name>")
    .addOption(configOption())
    .action(async (what: keyof typeof sections | "issuer", name: string, { config }: { config: string }) => {
      await editConfig(config, (document) => {
        const path = what === "issuer" ? ["trust", "oidc", indexOfIssuer(document, name)] : [sections[what], name];
        if (!document.hasIn(path)) throw new Refusal("INVALID_REQUEST", `There is no ${what} ${printable(name)} in ${printable(config)}.`);
        document.deleteIn(path);
      });
      note(`Took ${what} ${name} out of ${config}.`);
    });
}
