import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoints } from "@sallyport/sdk";
import { type World, writeConfiguration } from "./configuration.ts";
import { freePorts } from "./free-port.ts";
import { startProcess } from "./process.ts";

/** A running Sallyport, whatever its form. */
export interface Installation {
  readonly title: string;
  readonly configFile: string;
  /** Where the evidence log lies. */
  readonly auditDataDir: string;
  readonly endpoints: Endpoints;
  /** `host:port` of the listener for client certificates, where it is one process. */
  readonly agentsMtls?: string;
  /** `host:port` of the proxy, where the configuration opens it and it is one process. */
  readonly proxy?: string;
  /** Folders beyond the demo's own in which the secret must not be found either. */
  readonly otherFolders: readonly string[];
  /** What the scaled-out form has more to show. */
  readonly scaledOut?: ScaledOut;
  stop(): Promise<void>;
}

export interface ScaledOut {
  readonly kafka: string;
  readonly topic: string;
  /** Kills a broker as a power cut would, and later starts its successor. */
  killBroker(): void;
  restartBroker(): Promise<void>;
}

/** The embedded default: four services in one process, SQLite, a file store, a local evidence log. @param more configuration beyond that */
export async function startEmbedded(world: World, more: Record<string, unknown> = {}): Promise<Installation> {
  const { state } = world;
  const [agents, agentsMtls, peers, edge, ops, proxy] = (await freePorts(6)).map(at) as [string, string, string, string, string, string];
  const configFile = join(state, "sallyport.yaml");
  const dataDir = join(state, "data");
  writeConfiguration(configFile, world, {
    dataDir,
    state: "sqlite",
    listen: { agents, agentsMtls, peers, edge, ops, proxy },
    store: { kind: "file", path: "./data/secrets.jwe", key: "file:./data/keys/file-store.key" },
    ...more,
  });
  const logFile = join(state, "logs", "sallyport.log");
  const service = startProcess(["start", "-c", configFile], logFile);
  await ready(ops, service.exited, logFile);
  return {
    title: "Four services start, in one process",
    configFile,
    auditDataDir: dataDir,
    endpoints: {
      authn: agents,
      broker: agents,
      audience: "https://demo.internal",
      ca: readFileSync(join(dataDir, "keys", "services-ca.crt"), "utf8"),
    },
    agentsMtls,
    proxy,
    otherFolders: [],
    stop: service.stop,
  };
}

export const at = (port: number): string => `127.0.0.1:${port}`;

/** Waits until a process says that it can do its work; at most `seconds`. */
export async function ready(ops: string, exited: Promise<number | null>, logFile: string, seconds = 30): Promise<void> {
  const gone = exited.then((code) => {
    throw new Error(`a service ended with ${code} before it served; see ${logFile}`);
  });
  const poll = async () => {
    for (const until = Date.now() + seconds * 1000; Date.now() < until; await sleep(50)) {
      if (
        await fetch(`http://${ops}/readyz`).then(
          (answer) => answer.ok,
          () => false,
        )
      )
        return;
    }
    throw new Error(`a service did not become ready in ${seconds} s; see ${logFile}`);
  };
  gone.catch(() => {});
  await Promise.race([poll(), gone]);
}
