import { readFileSync } from "node:fs";
import { join } from "node:path";
import { printable, Refusal } from "@sallyport/contracts";
import { type Config, keysFolder, loadConfig } from "@sallyport/service";
import { Option } from "commander";

/** authn's key file, and the configuration that says where it is. @throws Refusal INVALID_REQUEST where it cannot be read */
export async function keyFileOf(configFile: string): Promise<{ config: Config; path: string; text: string }> {
  const config = await loadConfig(configFile);
  const path = join(keysFolder(config.dataDir), "credential.jwk");
  try {
    return { config, path, text: readFileSync(path, "utf8") };
  } catch (cause) {
    throw new Refusal(
      "INVALID_REQUEST",
      `${printable(path)} cannot be read: run this where authn runs, as its user; \`sallyport init\` makes the file.`,
      { cause },
    );
  }
}

export const configOption = (): Option => new Option("-c, --config <file>", "authn's configuration").default("sallyport.yaml");

/** What is wrong with the file, as a refusal. */
export const unusable = (path: string, cause: unknown): Refusal =>
  new Refusal("INVALID_REQUEST", `${printable(path)}: ${printable((cause as Error).message, 200)}.`, { cause });
