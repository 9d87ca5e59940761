import { printable } from "@sallyport/contracts";
import type { Config, Store } from "@sallyport/service";
import { Command } from "commander";
import { type Form, outputOption } from "../../output/form.ts";
import { printAll } from "../../output/print.ts";
import { configOption } from "./edit.ts";

interface Connection {
  what: "store" | "secret" | "target" | "issuer";
  name: string;
  kind: string;
  where: string;
}

export function listCommand(): Command {
  return new Command("ls")
    .description("what the configuration connects")
    .addOption(configOption())
    .addOption(outputOption())
    .action(async ({ config: file, output }: { config: string; output: Form }) => {
      const { loadConfig } = await import("@sallyport/service");
      const columns = {
        what: (one: Connection) => one.what,
        name: (one: Connection) => one.name,
        kind: (one: Connection) => one.kind,
        where: (one: Connection) => one.where,
      };
      printAll(output, connectionsOf(await loadConfig(file)), columns, "Nothing is connected yet.");
    });
}

function whereOf(store: Store): string {
  switch (store.kind) {
    case "file":
      return store.path;
    case "environment":
      return `${store.prefix}…`;
    case "openbao":
      return store.address.join(", ");
    case "aws-secrets-manager":
      return store.endpoint ?? store.region;
    case "kubernetes":
      return `${store.address} ${store.namespace}`;
    case "gcp-secret-manager":
      return store.project;
    case "azure-key-vault":
      return store.address;
  }
}

const connectionsOf = ({ stores, secrets, targets, trust }: Config): Connection[] => [
  ...Object.entries(stores).map(
    ([name, store]): Connection => ({
      what: "store",
      name,
      kind: store.kind,
      where: `${whereOf(store)}${store.owner === undefined ? "" : ` (of ${printable(store.owner)})`}`,
    }),
  ),
  ...Object.entries(secrets).map(
    ([name, { store, path, fields }]): Connection => ({ what: "secret", name, kind: fields.join(", "), where: `${store}: ${path}` }),
  ),
  ...Object.entries(targets).map(
    ([name, { kind, baseUrl, secret }]): Connection => ({ what: "target", name, kind, where: `${baseUrl} with ${secret}` }),
  ),
  ...trust.oidc.map(({ name, kind, issuer }): Connection => ({ what: "issuer", name, kind: `oidc, ${kind}`, where: issuer })),
];
