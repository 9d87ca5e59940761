import { mkdir } from "node:fs/promises";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { type Clock, systemClock } from "../clock.ts";
import type { Address, Config } from "../config/index.ts";
import { Dispatcher } from "../dispatch.ts";
import type { ServiceRole } from "../handler.ts";
import type { Health, Host, Running, Starter } from "../host.ts";
import { roles as allRoles } from "../keys/spiffe.ts";
import { PeerClients } from "../peers/peers.ts";
import { createLogger } from "../telemetry/logger.ts";
import { RpcObserver } from "../telemetry/rpc-observer.ts";
import { startTelemetry } from "../telemetry/telemetry.ts";
import { Doors } from "./doors.ts";
import { openOps } from "./ops-server.ts";
import { fileProblem, StartError } from "./start-error.ts";
import { Within } from "./within.ts";

/** Seconds that running calls get to end when the process stops. */
const drainSeconds = 10;

export interface ProcessOptions {
  readonly config: Config;
  /** What runs here: one service, one with a pdp of its own beside it, or all of them. */
  readonly roles: readonly ServiceRole[];
  /** Loads a service's `main.ts`. */
  load(role: ServiceRole): Promise<{ start: Starter }>;
  readonly version: string;
  readonly log?: Logger;
  readonly clock?: Clock;
}

export interface RunningProcess {
  /** Where each door listens: `agents`, `agentsMtls`, `peers`, `edge`, `ops`. */
  readonly addresses: Readonly<Record<string, Address>>;
  health(): Readonly<Record<string, Health>>;
  /** Drains: takes nothing new, lets what runs end, flushes. Resolves when the process may exit. */
  stop(): Promise<void>;
}

/**
 * Runs services in this process until `stop`.
 *
 * @throws StartError (or ConfigError, Refusal) where one cannot start; what was started is stopped again
 */
export async function runProcess({
  config,
  roles,
  load,
  version,
  log = createLogger(),
  clock = systemClock,
}: ProcessOptions): Promise<RunningProcess> {
  const mode = roles.length === allRoles.length ? "embedded" : "split";
  const self = ownerOf(roles);
  if (self === undefined) throw new StartError("Start one service, one with pdp beside it, or all of them in one process.");
  const [listen, setting] = mode === "embedded" ? [config.listen, "listen"] : [config.services[self].listen, `services.${self}.listen`];
  // grpc-js would write lines of its own to standard error; what matters of them arrives as errors.
  setLogVerbosity(logVerbosity.NONE);
  await makeFolder(config.dataDir);

  const telemetry = await startTelemetry({
    name: mode === "embedded" ? "sallyport" : `sallyport-${self}`,
    version,
    otlp: config.telemetry.otlp,
  });
  const observer = new RpcObserver(telemetry);
  const dispatcher = new Dispatcher(observer, log);
  const doors = new Doors({ config, listen, setting, self, roles, dispatcher, log });
  const here = new Set(roles);
  const within = new Within();
  // A pdp beside another service decides for that one alone: others would find the wrong certificate at its door.
  const peersOf = (role: ServiceRole) => (mode === "split" && role !== self ? within : doors.peers);
  const running = new Map<ServiceRole, Running>();
  const clients: PeerClients[] = [];
  let open = false;
  let stopping = false;

  const health = (): Record<string, Health> =>
    Object.fromEntries(
      roles.map((role): [string, Health] => [
        role,
        stopping ? { ok: false, why: "stopping" } : ((open ? running.get(role)?.ready() : undefined) ?? { ok: false, why: "starting" }),
      ]),
    );
  const serving = (name: string): boolean | undefined => {
    const parts = health();
    return name === "" ? Object.values(parts).every(({ ok }) => ok) : parts[name]?.ok;
  };
  const start = async (role: ServiceRole) => {
    const peers = new PeerClients({ self: role, config, here, registryOf: (other) => peersOf(other).registry, dispatcher, observer });
    clients.push(peers);
    const listeners = { agents: doors.agents, agentsMtls: doors.agentsMtls, edge: doors.edge, proxy: doors.proxy, peers: peersOf(role) };
    const host: Host = { role, config, clock, log: log.child({ service: role }), telemetry, listeners, peers, mode, version };
    const { start } = await load(role);
    running.set(role, await start(host));
  };
  const stop = async () => {
    stopping = true;
    await doors.drain(drainSeconds * 1000);
    // The audit writer last: the others still hand it what they have.
    for (const role of ["broker", "authn", "pdp", "audit"] as const) {
      await running
        .get(role)
        ?.stop()
        .catch((error) => log.error({ err: error, service: role }, "could not stop in order"));
    }
    for (const peers of clients) peers.close();
    await ops?.close();
    await telemetry.shutdown();
  };

  let ops: Awaited<ReturnType<typeof openOps>> | undefined;
  try {
    ops = await openOps({ address: listen.ops, setting: `${setting}.ops`, metricsText: () => telemetry.metricsText(), health });
    const started = await Promise.allSettled(roles.map(start));
    const failed = started.find((result) => result.status === "rejected");
    if (failed !== undefined) throw inWords(failed.reason);
    const addresses = { ...(await doors.open(serving)), ops: ops.address };
    open = true;
    let stopped: Promise<void> | undefined;
    return { addresses, health, stop: () => (stopped ??= stop()) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Whose doors they are; undefined where these services do not go together. */
function ownerOf(roles: readonly ServiceRole[]): ServiceRole | undefined {
  if (roles.length === 1 || roles.length === allRoles.length) return roles[0];
  const others = roles.filter((role) => role !== "pdp");
  return roles.length === 2 && others.length === 1 ? others[0] : undefined;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw inWords(error);
  }
}

/** What the operating system says of a file is for whoever starts the process, not a bug. */
function inWords(error: unknown): unknown {
  const problem = fileProblem(error);
  return problem === undefined ? error : new StartError(`Cannot start: ${problem}.`, { cause: error });
}
