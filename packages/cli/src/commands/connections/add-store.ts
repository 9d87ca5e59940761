import { Refusal } from "@sallyport/contracts";
import { Command, Option } from "commander";
import { collect } from "../../input/collect.ts";
import { note } from "../../output/print.ts";
import { configOption, editConfig, put } from "./edit.ts";

interface Options {
  kind: "file" | "openbao";
  path?: string;
  key?: string;
  address?: string;
  namespace?: string;
  mount?: string;
  roleId?: string;
  secretId?: string;
  token?: string;
  ca?: string;
  network: string[];
  replace?: true;
  config: string;
}

export function addStoreCommand(): Command {
  return new Command("store")
    .description("a system that keeps values; its own credential only by reference, env:NAME or file:PATH")
    .argument("<name>")
    .addOption(new Option("--kind <kind>", "what it is").choices(["file", "openbao"]).makeOptionMandatory())
    .option("--path <file>", "file: the encrypted file")
    .option("--key <reference>", "file: where its key is")
    .option("--address <url>", "openbao: its address")
    .option("--namespace <name>", "openbao: its namespace")
    .option("--mount <path>", "openbao: where KV version 2 is mounted; `secret` unless said")
    .option("--role-id <reference>", "openbao: where the AppRole's role id is; with --secret-id")
    .option("--secret-id <reference>", "openbao: where the AppRole's secret id is")
    .option("--token <reference>", "openbao: where a token is, instead of an AppRole")
    .option("--ca <file>", "openbao: PEM certificates to trust instead of the system's")
    .option("--network <range>", "openbao: a range beyond public addresses that may be dialled (repeatable)", collect, [])
    .option("--replace", "put it in the place of the one with this name")
    .addOption(configOption())
    .action(async (name: string, options: Options) => {
      await editConfig(options.config, (document) => put(document, ["stores", name], storeOf(options), options.replace));
      note(`Added store ${name} to ${options.config}.`);
    });
}

function storeOf({ kind, path, key, address, namespace, mount, roleId, secretId, token, ca, network }: Options): object {
  const misplaced = kind === "file" ? [address, namespace, mount, roleId, secretId, token, ca, ...network] : [path, key];
  if (misplaced.some((value) => value !== undefined))
    throw new Refusal("INVALID_REQUEST", `An option that was given is not for a store of kind ${kind}.`);
  if (kind === "file") return defined({ kind, path, key });
  const auth =
    token === undefined
      ? { approle: defined({ roleId, secretId }) }
      : { token, ...((roleId ?? secretId) ? { approle: defined({ roleId, secretId }) } : {}) };
  return defined({ kind, address, namespace, mount, auth, ca, network: network.length > 0 ? network : undefined });
}

/** Without what was not given: the configuration's own check says what is missing. */
const defined = (value: Record<string, unknown>) => Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined));
