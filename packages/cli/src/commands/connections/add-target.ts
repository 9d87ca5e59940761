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
  basic?: string;
  query?: string;
  cookie?: string;
  body?: string;
  form?: string;
  preset: string[];
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
    .option("--basic <user=field>", "instead: Basic authentication with this user name and the field as password, svc-orders=password")
    .option("--query <name=field>", "instead: a query parameter, api_key=token")
    .option("--cookie <name=field>", "instead: a cookie, session=token")
    .option("--body <pointer=field>", "instead: a member of the JSON body, /auth/token=token")
    .option("--form <name=field>", "instead: a field of a URL-encoded form, token=token")
    .option("--preset <rule>", "a built-in guardrail rule, such as no-callbacks (repeatable)", collect, [])
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

function targetOf(options: Options): object {
  const { baseUrl, secret, preset, allow, network, ca } = options;
  const more = {
    ...(preset.length === 0 ? {} : { rules: preset.map((name) => ({ preset: name })) }),
    ...(network.length === 0 ? {} : { network }),
    ...(ca === undefined ? {} : { ca }),
  };
  return { kind: "http", baseUrl, secret, inject: injectOf(options), allow: allow.map(operationOf), ...more };
}

/** One of the ways that need no more than a name and a field; the others are written in the file. */
function injectOf({ bearer, header, basic, query, cookie, body, form }: Options): object {
  return {
    ...(bearer === undefined ? {} : { bearer }),
    ...(header === undefined ? {} : { header: pairOf(header, "name", "field", "X-Api-Key=token") }),
    ...(basic === undefined ? {} : { basic: pairOf(basic, "user", "password", "svc-orders=password") }),
    ...(query === undefined ? {} : { query: pairOf(query, "name", "field", "api_key=token") }),
    ...(cookie === undefined ? {} : { cookie: pairOf(cookie, "name", "field", "session=token") }),
    ...(body === undefined ? {} : { body: pairOf(body, "pointer", "field", "/auth/token=token") }),
    ...(form === undefined ? {} : { form: pairOf(form, "name", "field", "token=token") }),
  };
}

function pairOf(text: string, left: string, right: string, example: string): Record<string, string> {
  const [, name, field] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || field === undefined)
    throw new Refusal("INVALID_REQUEST", `"${printable(text, 40)}" is no ${left} with a field; write ${example}.`);
  return { [left]: name, [right]: field };
}

function operationOf(text: string): { method: string; path: string } {
  const [, method, path] = /^(\S+) (\S+)$/.exec(text) ?? [];
  if (method === undefined || path === undefined)
    throw new Refusal("INVALID_REQUEST", `"${printable(text, 60)}" is no operation; write "GET /v1/orders/{id}".`);
  return { method, path };
}
