import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Endpoints } from "@sallyport/sdk";
import { type World, writeConfiguration } from "../demo/configuration.ts";
import { freePorts } from "../demo/free-port.ts";
import { at, ready } from "../demo/installation.ts";
import { mustRun, startProcess } from "../demo/process.ts";

type Doors = Record<"agents" | "agentsMtls" | "peers" | "edge" | "ops", string>;

/** All of them start at once, and a machine may have other work. */
const startSeconds = 120;

/**
 * audit, authn and several brokers, each a process of its own, with mTLS between them and each with a pdp beside it. The state must be one that they share.
 */
export async function startApart(world: World, brokers: number, more: Record<string, unknown> & { store: object }) {
  const names = ["audit", "authn", ...Array.from({ length: brokers }, (_, i) => `broker-${i + 1}`)];
  const ports = await freePorts(names.length * 5);
  const doorsOf = (name: string): Doors => {
    const [agents, agentsMtls, peers, edge, ops] = ports.slice(names.indexOf(name) * 5).map(at) as [string, string, string, string, string];
    return { agents, agentsMtls, peers, edge, ops };
  };
  const peers = { audit: doorsOf("audit").peers, authn: doorsOf("authn").peers };
  const write = (name: string) => {
    const file = join(world.state, `${name}.yaml`);
    const services = Object.fromEntries(["audit", "authn", "broker", "pdp"].map((role) => [role, { listen: doorsOf(name), peers }]));
    writeConfiguration(file, world, { dataDir: name === "audit" ? join(world.state, "data") : join(world.state, name), services, ...more });
    return file;
  };
  const files = names.map(write);
  await mustRun(["init", "-c", files[0] as string]);
  const keys = join(world.state, "data", "keys");
  for (const name of names.slice(1)) {
    mkdirSync(join(world.state, name), { recursive: true, mode: 0o700 });
    cpSync(keys, join(world.state, name, "keys"), { recursive: true });
  }
  const running = names.map((name, i) => {
    const logFile = join(world.state, "logs", `${name}.log`);
    const roles = [name.replace(/-\d+$/, ""), "pdp"];
    const service = startProcess(["start", ...roles, "-c", files[i] as string], logFile);
    return { service, ready: ready(doorsOf(name).ops, service.exited, logFile, startSeconds) };
  });
  await Promise.all(running.map(({ ready }) => ready));
  const all = names.slice(2).map(doorsOf);
  const endpoints: Endpoints = {
    authn: doorsOf("authn").agents,
    broker: all.map(({ agents }) => agents).join(","),
    audience: "https://demo.internal",
    ca: readFileSync(join(keys, "services-ca.crt"), "utf8"),
  };
  return {
    endpoints,
    agentsMtls: all.map(({ agentsMtls }) => agentsMtls),
    stop: async () => {
      // The audit writer last: the others still hand it what they have.
      for (const { service } of running.toReversed()) await service.stop();
    },
  };
}
