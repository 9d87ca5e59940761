import { printable, Refusal } from "@sallyport/contracts";
import { Command } from "commander";
import { collect } from "../../input/collect.ts";
import { note } from "../../output/print.ts";
import { configOption, editConfig, put } from "./edit.ts";

interface Options {
  baseUrl: string;
  secret: string;
  bearer?: string;
  header?: string;
  allow: string[];
  network: string[];
  ca?: string;
  replace?: true;
  config: string;
}

export function addTargetCommand(): Command {
  return new Command("target")
    .description("an HTTP API where a secret may be used")
    .argument("<name>", "such as orders-api")
    .requiredOption("--base-url <url>", "where every call goes: https://orders.internal")
    .requiredOption("--secret <name>", "the secret that it wants")
    .option("--bearer <field>", "the secret's field that is sent as Authorization: Bearer")
    .option("--header <name=field>", "instead: the header to send a field in, X-Api-Key=token")
    .requiredOption("--allow <operation>", 'what may be called: "GET /v1/orders/{id}" (repeatable)', collect)
    .option("--network <range>", "a range beyond public addresses that may be dialled (repeatable)", collect, [])
    .option("--ca <file>", "PEM certificates to trust instead of the system's")
    .option("--replace", "put it in the place of the one with this name")
    .addOption(configOption())
    .action(async (name: string, options: Options) => {
      await editConfig(options.config, (document) => put(document, ["targets", name], targetOf(options), options.replace));
      note(`Added target ${name} to ${options.config}.`);
    });
}

function targetOf({ baseUrl, secret, bearer, header, allow, network, ca }: Options): object {
  const inject = {
    ...(bearer === undefined ? {} : { bearer }),
    ...(header === undefined ? {} : { header: headerOf(header) }),
  };
  const more = { ...(network.length === 0 ? {} : { network }), ...(ca === undefined ? {} : { ca }) };
  return { kind: "http", baseUrl, secret, inject, allow: allow.map(operationOf), ...more };
}

function headerOf(text: string): { name: string; field: string } {
  const [, name, field] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || field === undefined)
    throw new Refusal("INVALID_REQUEST", `"${printable(text, 40)}" is no header with a field; write X-Api-Key=token.`);
  return { name, field };
}

function operationOf(text: string): { method: string; path: string } {
  const [, method, path] = /^(\S+) (\S+)$/.exec(text) ?? [];
  if (method === undefined || path === undefined)
    throw new Refusal("INVALID_REQUEST", `"${printable(text, 60)}" is no operation; write "GET /v1/orders/{id}".`);
  return { method, path };
}
