import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { initKeys, loadConfig } from "@sallyport/service";
import { Command } from "commander";

const firstConfig = (trustDomain: string) => `# Sallyport. Every setting: docs/sallyport.schema.json
version: 1
trustDomain: ${trustDomain}
dataDir: ./data
policies: ./policies
stores:
  dev: { kind: file, path: ./data/secrets.jwe, key: "file:./data/keys/file-store.key" }
`;

const firstPolicy = `// Nothing is allowed until a policy permits it, for every link of a chain.
// This one lets your operators look after the installation; name their group as your identity provider does.
@id("operators")
permit (
  principal in Group::"corp/operators",
  action in [Action::"administer", Action::"revoke", Action::"replay"],
  resource
);
`;

/** `sallyport init`: a first configuration where there is none, and every key that is not there yet. */
export function initCommand(): Command {
  return new Command("init")
    .description("make a first configuration and the installation's keys; what exists is kept")
    .option("-c, --config <file>", "the configuration", "sallyport.yaml")
    .option("--trust-domain <name>", "names the installation, where the configuration is new", "sallyport.internal")
    .option("--name <host...>", "more host names or addresses that agents reach it by")
    .action(async (options: { config: string; trustDomain: string; name?: string[] }) => {
      const file = resolve(options.config);
      if (!existsSync(file)) {
        mkdirSync(join(dirname(file), "policies"), { recursive: true });
        writeFileSync(file, firstConfig(options.trustDomain), { flag: "wx" });
        const policy = join(dirname(file), "policies", "operators.cedar");
        if (!existsSync(policy)) writeFileSync(policy, firstPolicy);
        process.stderr.write(`wrote ${file} and a first policy beside it\n`);
      }
      const config = await loadConfig(file);
      const made = await initKeys({ dataDir: config.dataDir, trustDomain: config.trustDomain, names: options.name ?? [] });
      process.stderr.write(
        made.length === 0
          ? `every key is there already, in ${join(config.dataDir, "keys")}\n`
          : `made in ${join(config.dataDir, "keys")}: ${made.join(", ")}\n`,
      );
    });
}
