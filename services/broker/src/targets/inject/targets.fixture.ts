import assert from "node:assert/strict";
import { parseConfig, systemClock } from "@sallyport/service";
import type { TargetConfig } from "../../catalogue/catalogue.ts";
import type { Echo } from "../echo-target.fixture.ts";
import { type Operation, parseOperation, unfit } from "../operation.ts";
import { Sender } from "../sender.ts";
import type { Injected } from "./injected.ts";
import { Injector } from "./injector.ts";
import type { MintedTokens } from "./minted/minted-tokens.ts";

export const { listen, services } = parseConfig("version: 1\ntrustDomain: example.internal\n", "sallyport.yaml");

export interface Sketch {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** A target's configuration, parsed as a file's would be. `settings` is YAML flow style inside the target's braces. */
export function targetConfig(
  port: number,
  settings: string,
  fields: readonly string[],
  baseUrl = `http://127.0.0.1:${port}`,
): TargetConfig {
  const text = `version: 1
trustDomain: example.internal
stores: { dev: { kind: file, path: ./s.jwe, key: env:K } }
secrets: { prod/api: { store: dev, fields: [${fields.join(", ")}] } }
targets:
  api:
    kind: http
    baseUrl: ${baseUrl}
    secret: prod/api
    network: [127.0.0.0/8]
    allow: [GET, POST, PUT, DELETE].map
${settings}`.replace(
    "[GET, POST, PUT, DELETE].map",
    `[${["GET", "POST", "PUT", "DELETE", "PATCH"].map((method) => `{ method: ${method}, path: "/{rest+}" }`).join(", ")}]`,
  );
  return parseConfig(text, "sallyport.yaml").targets.api as TargetConfig;
}

export function operationOf(config: TargetConfig, { method = "GET", path = "/v1/orders", headers = {}, body = "" }: Sketch): Operation {
  const listed = Object.entries(headers).map(([name, value]) => ({ $typeName: "sallyport.broker.v1.Header" as const, name, value }));
  return parseOperation("api", config, { method, path, headers: listed, body: Buffer.from(body) });
}

const noTokens = { get: () => assert.fail("no token is fetched here") } as unknown as MintedTokens;

/** Sends an operation as a use would, without gate, policy and masks. */
export async function send(
  config: TargetConfig,
  sketch: Sketch | Operation,
  values: Readonly<Record<string, string | Buffer>>,
): Promise<{ echo: Echo; injected: Injected }> {
  const operation = "exactBytes" in sketch ? sketch : operationOf(config, sketch);
  const refusal = unfit(operation);
  if (refusal !== undefined) throw refusal;
  const { signal } = new AbortController();
  const fields = new Map(Object.entries(values).map(([field, value]) => [field, Buffer.from(value as string)]));
  const injector = new Injector({ targets: { api: config }, listen, services }, { clock: systemClock, tokens: noTokens });
  const sender = new Sender({ targets: { api: config }, listen, services });
  const injected = await injector.inject(operation, { version: "1", createdAt: undefined, fields }, signal);
  const answer = await sender.send(operation, injected, signal);
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  return { echo: JSON.parse(Buffer.concat(pieces).toString()), injected };
}

export const header = (echo: Echo, name: string): string[] =>
  echo.headers.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
