import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

export interface World {
  /** The folder of the demo. */
  readonly state: string;
  readonly peopleIssuer: string;
  readonly workloadIssuer: string;
  readonly apiUrl: string;
  /** A file with the certificate of an API that speaks TLS, PEM. */
  readonly apiCa?: string;
}

/** Everything here lives on loopback, which a configuration must say. */
export const loopback = ["127.0.0.0/8"];

/** Writes the demo's configuration and policies. @param form what is particular to the embedded or the scaled-out form */
export function writeConfiguration(file: string, world: World, form: Record<string, unknown> & { store: object }): void {
  const { store, ...rest } = form;
  mkdirSync(join(world.state, "policies"), { recursive: true });
  copyFileSync(new URL("policies.cedar", import.meta.url), join(world.state, "policies", "demo.cedar"));
  const issuer = { audience: "sallyport", algorithms: ["ES256"], groups: { claim: "groups" }, network: loopback };
  const target = (secret: string, ...allow: string[]) => ({
    kind: "http",
    baseUrl: world.apiUrl,
    secret,
    inject: { bearer: "token" },
    allow: allow.map((call) => ({ method: call.split(" ")[0], path: call.split(" ")[1] })),
    network: loopback,
    ...(world.apiCa === undefined ? {} : { ca: world.apiCa }),
  });
  writeFileSync(
    file,
    stringify({
      version: 1,
      trustDomain: "demo.internal",
      policies: join(world.state, "policies"),
      trust: {
        oidc: [
          { name: "corp", issuer: world.peopleIssuer, ...issuer },
          { name: "ci", issuer: world.workloadIssuer, kind: "service", owner: { claim: "owner", provider: "corp" }, ...issuer },
        ],
      },
      stores: { vault: store },
      secrets: {
        "prod/orders/api": { store: "vault", fields: ["token"], categories: ["orders", "high-value"] },
        "prod/orders/read": { store: "vault", fields: ["token"], categories: ["orders"] },
        "prod/payroll/db": { store: "vault", fields: ["token"], categories: ["payroll"] },
      },
      targets: {
        "orders-api": target("prod/orders/api", "POST /v1/refunds"),
        "orders-read": target("prod/orders/read", "GET /v1/orders/{id}", "GET /v1/echo/{trick}", "GET /v1/ledger"),
        "payroll-api": target("prod/payroll/db", "GET /v1/orders/{id}"),
      },
      ...rest,
    }),
  );
}
