import { Health, ServerReflection } from "@sallyport/contracts";
import type { Logger } from "pino";
import { type Address, type Config, formatAddress, type Listen } from "../config/index.ts";
import type { Dispatcher } from "../dispatch.ts";
import { EdgeServer } from "../edge/edge-server.ts";
import { GrpcListener } from "../grpc/grpc-listener.ts";
import { healthHandlers } from "../grpc/health.ts";
import { reflectionHandlers } from "../grpc/reflection.ts";
import type { ServiceRole } from "../handler.ts";
import type { Listeners } from "../host.ts";
import { roles } from "../keys/spiffe.ts";
import { agentsMtlsCredentials, listenerCredentials, peersServerCredentials } from "../keys/tls.ts";
import { OwnDoorListener } from "./own-door-listener.ts";

export interface DoorSettings {
  readonly config: Config;
  readonly listen: Listen;
  /** What the setting's name begins with: `listen`, or `services.broker.listen`. */
  readonly setting: string;
  /** Whose certificate the peers door shows. */
  readonly self: ServiceRole;
  /** The services of this process. */
  readonly roles: readonly ServiceRole[];
  readonly dispatcher: Dispatcher;
  readonly log: Logger;
}

/** All doors of a process. Those that nobody serves at stay shut. */
export class Doors implements Listeners {
  readonly agents: GrpcListener;
  readonly agentsMtls: GrpcListener;
  readonly peers: GrpcListener;
  readonly edge: EdgeServer;
  readonly proxy: OwnDoorListener;
  readonly #log: Logger;

  constructor({ config, listen, setting, self, roles, dispatcher, log }: DoorSettings) {
    const { dataDir, trustDomain } = config;
    // Workloads sign in at authn; embedded, this is its door too.
    const workloadBundles = roles.includes("authn") ? config.trust.x509.map(({ bundle }) => bundle) : [];
    const common = { trustDomain, dispatcher, log };
    const at = (name: keyof Listen) => ({ address: listen[name], setting: `${setting}.${name}` });
    this.agents = new GrpcListener({ ...common, door: "agents", ...at("agents"), credentials: () => listenerCredentials(dataDir) });
    this.agentsMtls = new GrpcListener({
      ...common,
      door: "agents-mtls",
      ...at("agentsMtls"),
      credentials: () => agentsMtlsCredentials(dataDir, workloadBundles),
    });
    this.peers = new GrpcListener({ ...common, door: "peers", ...at("peers"), credentials: () => peersServerCredentials(dataDir, self) });
    this.edge = new EdgeServer({ dispatcher, log, ...at("edge") });
    this.proxy = new OwnDoorListener(listen.proxy, `${setting}.proxy`);
    this.#log = log;
  }

  /** @param status for grpc.health.v1. @throws StartError; doors that were opened before are closed again */
  async open(status: (service: string) => boolean | undefined): Promise<Record<string, Address>> {
    const opened: Record<string, Address> = {};
    try {
      for (const [name, door] of Object.entries({ agents: this.agents, agentsMtls: this.agentsMtls, peers: this.peers })) {
        if (door.registry.size === 0) continue;
        const services = door.registry.values().map(({ service }) => service);
        const known = new Set(["", ...services.map(({ typeName }) => typeName)]);
        const health = healthHandlers((service) => (known.has(service) ? status("") : status(service)));
        door.serve(Health, health, { roles, endless: ["watch"] });
        door.serve(ServerReflection, reflectionHandlers([...services, Health, ServerReflection]), {
          roles,
          endless: ["serverReflectionInfo"],
        });
        opened[name] = await door.open();
      }
      if (this.edge.used) opened.edge = await this.edge.open();
      if (this.proxy.used) opened.proxy = await this.proxy.open();
    } catch (error) {
      this.close();
      throw error;
    }
    for (const [door, address] of Object.entries(opened)) this.#log.info({ door, address: formatAddress(address) }, "listening");
    return opened;
  }

  /** Takes nothing new, and gives what is running until the bound. */
  async drain(boundMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const bound = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), boundMs);
    });
    const drained = Promise.all([this.agents.drain(), this.agentsMtls.drain(), this.peers.drain(), this.edge.drain(), this.proxy.drain()]);
    if ((await Promise.race([drained, bound])) === "late") this.#log.warn({ boundMs }, "calls that did not end in time were cut off");
    clearTimeout(timer);
    this.close();
  }

  close(): void {
    for (const door of [this.agents, this.agentsMtls, this.peers, this.edge, this.proxy]) door.close();
  }
}
