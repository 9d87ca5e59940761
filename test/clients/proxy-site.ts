import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { saveProfile } from "../../packages/cli/src/profile/profile.ts";
import { freePorts } from "../demo/free-port.ts";
import { at } from "../demo/installation.ts";
import { type Ran, sallyport } from "../demo/process.ts";
import { embeddedSite, type Site } from "../faults/site.ts";
import type { EchoTarget } from "./echo-target.ts";

const names = fileURLToPath(new URL("names.mjs", import.meta.url));

/** A target of the configuration: where it really is, and what may be called there. */
export interface ConfiguredTarget {
  readonly server: Pick<EchoTarget, "host" | "port" | "ca">;
  readonly secret?: string;
  readonly allow: readonly string[];
  readonly more?: Record<string, unknown>;
}

export interface ProxySite extends Site {
  /** The proxy's address. */
  readonly proxy: string;
  /** authn's listener for client certificates. */
  readonly authnMtls: string;
  /** Of the agent that `sallyport run` delegates from. */
  readonly agentId: string;
  /** Folder of the command line's profiles. */
  readonly home: string;
  /** Runs a tool by `sallyport run`. @param options words between `run` and `--` */
  run(tool: readonly string[], settings?: { options?: readonly string[]; env?: NodeJS.ProcessEnv; input?: string }): Promise<Ran>;
}

/** What the secrets hold, before the site is there: targets want it. */
export const newCanary = () => `sk_live_${randomBytes(18).toString("base64url")}/+x`;

/**
 * An embedded installation with a proxy, and targets by name below `.test` on this machine.
 *
 * @param settings `fields`: more of the secret's, beside its token
 */
export async function proxySite(
  canary: string,
  targets: Readonly<Record<string, ConfiguredTarget>>,
  {
    proxy = {},
    credentialSeconds = 600,
    fields = {},
  }: { proxy?: Record<string, unknown>; credentialSeconds?: number; fields?: Readonly<Record<string, string>> } = {},
): Promise<ProxySite> {
  const [port, mtls] = (await freePorts(2)) as [number, number];
  const before = process.env.NODE_OPTIONS;
  process.env.NODE_OPTIONS = `${before ?? ""} --import=${names}`;
  let site: Site;
  try {
    site = await embeddedSite({
      canary,
      configure: (config) => {
        config.proxy = proxy;
        config.authn = { ...config.authn, credentialSeconds };
        config.listen.proxy = at(port);
        config.secrets["prod/orders/read"].fields = ["token", ...Object.keys(fields)];
        config.listen.agentsMtls = at(mtls);
        for (const [name, { server, secret = "prod/orders/read", allow, more }] of Object.entries(targets)) {
          const caFile = join(config.dataDir, "..", `${server.host}.pem`);
          if (server.ca !== undefined) writeFileSync(caFile, server.ca);
          config.targets[name] = {
            kind: "http",
            baseUrl: `${server.ca === undefined ? "http" : "https"}://${server.host}:${server.port}`,
            secret,
            inject: { bearer: "token" },
            allow: allow.map((call) => ({ method: call.split(" ")[0], path: call.split(" ")[1] })),
            network: ["127.0.0.0/8"],
            ...(server.ca === undefined ? {} : { ca: caFile }),
            ...more,
          };
        }
      },
    });
  } finally {
    if (before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before;
  }
  if (Object.keys(fields).length > 0) {
    const keeper = await site.person("kim", ["secret-keepers"]);
    const values = Object.entries({ token: canary, ...fields }).map(([name, value]) => [name, Buffer.from(value)]);
    await keeper.session.broker.write({ secret: "prod/orders/read", fields: Object.fromEntries(values) });
    keeper.close();
  }
  const home = join(site.folder, "home");
  process.env.SALLYPORT_HOME = home;
  const agent = await site.agent();
  saveProfile("default", { session: agent.session, signIn: undefined });
  return {
    ...site,
    proxy: at(port),
    authnMtls: at(mtls),
    agentId: agent.id,
    home,
    run: (tool, { options = [], env = {}, input } = {}) =>
      sallyport(["run", "-c", site.configFile, ...options, "--", ...tool], {
        env: { SALLYPORT_HOME: home, ...env },
        ...(input === undefined ? {} : { input }),
      }),
  };
}
