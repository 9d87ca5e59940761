import { existsSync } from "node:fs";
import { Refusal } from "@sallyport/contracts";
import type { Endpoints } from "@sallyport/sdk";

export interface DoorOptions {
  readonly proxy?: string;
  readonly authnMtls?: string;
  readonly config?: string;
}

/** Where the tool's requests go, and where its credential is renewed. */
export interface Doors {
  readonly proxy: string;
  readonly authnMtls: string;
  /** PEM; undefined: the system's. */
  readonly ca: string | undefined;
  /** Where an installation on this machine keeps its keys and journals; no tool needs to see them. */
  readonly dataDir: string | undefined;
}

const port = { proxy: 7481, authnMtls: 7444 } as const;

/** @throws Refusal INVALID_REQUEST that says what is missing */
export async function doorsOf(options: DoorOptions, { authn, broker, ca, mtls }: Endpoints): Promise<Doors> {
  for (const address of [options.proxy, options.authnMtls]) {
    if (address !== undefined && !/^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):\d{1,5}$/.test(address))
      throw new Refusal("INVALID_REQUEST", "--proxy and --authn-mtls are host:port, such as broker.internal:7481.");
  }
  const here = await configured(options.config, authn);
  return {
    proxy: options.proxy ?? here?.proxy ?? atPort(broker, port.proxy),
    authnMtls: options.authnMtls ?? here?.authnMtls ?? mtls?.authn ?? atPort(authn, port.authnMtls),
    ca,
    dataDir: here?.dataDir,
  };
}

/** The first of several replicas. */
const atPort = (addresses: string, number: number) => `${(addresses.split(",")[0] ?? "").replace(/:\d+$/, "")}:${number}`;

/** The doors of an installation on this machine, where its configuration is named, or lies here and is the one that was signed in to. */
async function configured(
  file: string | undefined,
  authn: string,
): Promise<{ proxy: string; authnMtls: string; dataDir: string } | undefined> {
  if (file === undefined && !existsSync("sallyport.yaml")) return undefined;
  const { formatAddress, loadConfig } = await import("@sallyport/service");
  const config = await loadConfig(file ?? "sallyport.yaml");
  const reached = ({ host, port }: { host: string; port: number }) => formatAddress({ host: loopbackOf[host] ?? host, port });
  if (file === undefined && reached(config.listen.agents) !== authn) return undefined;
  if (config.proxy === undefined)
    throw new Refusal("INVALID_REQUEST", "That installation has no proxy: put `proxy: {}` into its configuration and start it again.");
  return { proxy: reached(config.listen.proxy), authnMtls: reached(config.listen.agentsMtls), dataDir: config.dataDir };
}

const loopbackOf: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
