import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoints } from "@sallyport/sdk";
import { stringify } from "yaml";
import { freePorts } from "./free-port.ts";
import { startProcess } from "./process.ts";

export interface Installation {
  readonly configFile: string;
  readonly dataDir: string;
  readonly endpoints: Endpoints;
  stop(): Promise<void>;
}

/** The embedded default: four services in one process, SQLite, a file store, a local evidence log. */
export async function startEmbedded(options: { state: string; peopleIssuer: string; workloadIssuer: string; apiUrl: string }): Promise<Installation> {
  const { state } = options;
  const [agents, agentsMtls, peers, edge, ops] = (await freePorts(5)).map((port) => `127.0.0.1:${port}`) as [string, string, string, string, string];
  mkdirSync(join(state, "policies"), { recursive: true });
  copyFileSync(new URL("policies.cedar", import.meta.url), join(state, "policies", "demo.cedar"));
  writeFileSync(join(state, "store.key"), randomBytes(32).toString("base64url"), { mode: 0o600 });
  const configFile = join(state, "sallyport.yaml");
  const loopback = ["127.0.0.0/8"];
  const target = (secret: string, allow: { method: string; path: string }[]) => ({ kind: "http", baseUrl: options.apiUrl, secret, inject: { bearer: "token" }, allow, network: loopback });
  writeFileSync(
    configFile,
    stringify({
      version: 1,
      trustDomain: "demo.internal",
      dataDir: "./data",
      state: "sqlite",
      policies: "./policies",
      listen: { agents, agentsMtls, peers, edge, ops },
      trust: {
        oidc: [
          { name: "corp", issuer: options.peopleIssuer, audience: "sallyport", algorithms: ["ES256"], groups: { claim: "groups" }, network: loopback },
          { name: "ci", issuer: options.workloadIssuer, audience: "sallyport", algorithms: ["ES256"], kind: "service", groups: { claim: "groups" }, owner: { claim: "owner" }, network: loopback },
        ],
      },
      stores: { files: { kind: "file", path: "./secrets.jwe", key: "file:./store.key" } },
      secrets: {
        "prod/orders/api": { store: "files", fields: ["token"], categories: ["orders", "high-value"] },
        "prod/orders/read": { store: "files", fields: ["token"], categories: ["orders"] },
        "prod/payroll/db": { store: "files", fields: ["token"], categories: ["payroll"] },
      },
      targets: {
        "orders-api": target("prod/orders/api", [{ method: "POST", path: "/v1/refunds" }]),
        "orders-read": target("prod/orders/read", [
          { method: "GET", path: "/v1/orders/{id}" },
          { method: "GET", path: "/v1/echo/{trick}" },
          { method: "GET", path: "/v1/ledger" },
        ]),
        "payroll-api": target("prod/payroll/db", [{ method: "GET", path: "/v1/orders/{id}" }]),
      },
    }),
  );
  const service = startProcess(["start", "-c", configFile], join(state, "logs", "sallyport.log"));
  await ready(`http://${ops}/readyz`, service.exited, join(state, "logs", "sallyport.log"));
  const caFile = join(state, "data", "keys", "services-ca.crt");
  return {
    configFile,
    dataDir: join(state, "data"),
    endpoints: { authn: agents, broker: agents, audience: "https://demo.internal", ...(existsSync(caFile) ? { ca: readFileSync(caFile, "utf8") } : {}) },
    stop: service.stop,
  };
}

async function ready(url: string, exited: Promise<number | null>, logFile: string): Promise<void> {
  const gone = exited.then((code) => {
    throw new Error(`Sallyport ended with ${code} before it served; see ${logFile}`);
  });
  const poll = async () => {
    for (const until = Date.now() + 20_000; Date.now() < until; await sleep(50)) {
      if (await fetch(url).then((answer) => answer.ok, () => false)) return;
    }
    throw new Error(`Sallyport did not become ready in 20 s; see ${logFile}`);
  };
  gone.catch(() => {});
  await Promise.race([poll(), gone]);
}
