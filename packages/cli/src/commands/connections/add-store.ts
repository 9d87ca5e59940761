import { Refusal } from "@sallyport/contracts";
import { Command, Option } from "commander";
import { collect } from "../../input/collect.ts";
import { note } from "../../output/print.ts";
import { configOption, editConfig, put } from "./edit.ts";
import { settingsOf } from "./settings.ts";

const kinds = ["file", "environment", "openbao", "aws-secrets-manager", "kubernetes", "gcp-secret-manager", "azure-key-vault"] as const;

interface Options {
  kind: (typeof kinds)[number];
  owner?: string;
  category: string[];
  cacheSeconds?: string;
  set: string[];
  path?: string;
  key?: string;
  address: string[];
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
    .addOption(new Option("--kind <kind>", "what it is").choices(kinds).makeOptionMandatory())
    .option("--owner <who>", "who answers for it")
    .option("--category <label>", "a label that every secret in it has (repeatable)", collect, [])
    .option("--cache-seconds <seconds>", "how long a value that was fetched may be used again; never unless said")
    .option("--set <setting=value>", "any other setting of its kind, such as auth.jwt.role=broker (repeatable)", collect, [])
    .option("--path <file>", "file: the encrypted file")
    .option("--key <reference>", "file: where its key is")
    .option("--address <url>", "its address; of an OpenBao of several nodes, that of each (repeatable)", collect, [])
    .option("--namespace <name>", "openbao, kubernetes: its namespace")
    .option("--mount <path>", "openbao: where KV is mounted; `secret` unless said")
    .option("--role-id <reference>", "openbao: where the AppRole's role id is; with --secret-id")
    .option("--secret-id <reference>", "openbao: where the AppRole's secret id is")
    .option("--token <reference>", "openbao: where a token is, instead of an AppRole; kubernetes: where the service account's is")
    .option("--ca <file>", "PEM certificates to trust instead of the system's")
    .option("--network <range>", "a range beyond public addresses that may be dialled (repeatable)", collect, [])
    .option("--replace", "put it in the place of the one with this name")
    .addOption(configOption())
    .action(async (name: string, options: Options) => {
      await editConfig(options.config, (document) => put(document, ["stores", name], storeOf(options), options.replace));
      note(`Added store ${name} to ${options.config}.`);
    });
}

/** Which options are for which kinds; a setting that has no option is given by --set. */
const optionsOf: Readonly<Record<Options["kind"], readonly (keyof Options)[]>> = {
  file: ["path", "key"],
  environment: [],
  openbao: ["address", "namespace", "mount", "roleId", "secretId", "token", "ca", "network"],
  "aws-secrets-manager": ["ca", "network"],
  kubernetes: ["address", "namespace", "token", "ca", "network"],
  "gcp-secret-manager": ["ca", "network"],
  "azure-key-vault": ["address", "ca", "network"],
};

function storeOf(options: Options): object {
  const { kind, owner, category, cacheSeconds, set, path, key, namespace, mount, roleId, secretId, token, ca, network } = options;
  const own: readonly (keyof Options)[] = ["path", "key", "address", "namespace", "mount", "roleId", "secretId", "token", "ca", "network"];
  const misplaced = own.filter(
    (option) => !optionsOf[kind].includes(option) && [options[option]].flat().some((value) => value !== undefined),
  );
  if (misplaced.length > 0) throw new Refusal("INVALID_REQUEST", `An option that was given is not for a store of kind ${kind}.`);
  const approle = roleId === undefined && secretId === undefined ? undefined : defined({ roleId, secretId });
  const auth = kind !== "openbao" || (approle === undefined && token === undefined) ? undefined : defined({ token, approle });
  const address = options.address.length > 1 ? options.address : options.address[0];
  return {
    ...defined({
      kind,
      owner,
      categories: listed(category),
      cacheSeconds: cacheSeconds === undefined ? undefined : Number(cacheSeconds),
      path,
      key,
      address,
      namespace,
      mount,
      token: kind === "kubernetes" ? token : undefined,
      auth,
      ca,
      network: listed(network),
    }),
    ...settingsOf(set),
  };
}

const listed = (values: readonly string[]) => (values.length > 0 ? values : undefined);

/** Without what was not given: the configuration's own check says what is missing. */
const defined = (value: Record<string, unknown>) => Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined));
