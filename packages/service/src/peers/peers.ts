import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "../client.ts";
import { type Config, formatAddress } from "../config/index.ts";
import type { Dispatcher } from "../dispatch.ts";
import { GrpcChannel } from "../grpc/client.ts";
import type { ServiceRole } from "../handler.ts";
import type { Peers } from "../host.ts";
import { spiffeIdOf } from "../keys/spiffe.ts";
import { peersClientCredentials } from "../keys/tls.ts";
import { StartError } from "../process/start-error.ts";
import type { Registry } from "../registry.ts";
import type { RpcObserver } from "../telemetry/rpc-observer.ts";
import { inProcessClient } from "./in-process.ts";
import { unavailable } from "./unavailable.ts";

export interface PeerSettings {
  readonly self: ServiceRole;
  readonly config: Config;
  /** What runs in this process. */
  readonly here: ReadonlySet<ServiceRole>;
  /** What a service of this process serves the others. */
  registryOf(role: ServiceRole): Registry;
  readonly dispatcher: Dispatcher;
  readonly observer: RpcObserver;
}

/** How one service reaches the others. */
export class PeerClients implements Peers {
  readonly #settings: PeerSettings;
  readonly #channels = new Map<ServiceRole, GrpcChannel>();

  constructor(settings: PeerSettings) {
    this.#settings = settings;
  }

  client<S extends DescService>(role: ServiceRole, service: S): Client<S> {
    const { self, config, here, registryOf, dispatcher } = this.#settings;
    if (!here.has(role)) return this.#channel(role).client(service);
    return inProcessClient(service, {
      role,
      self: { kind: "service", role: self, spiffeId: spiffeIdOf(config.trustDomain, self) },
      registry: registryOf(role),
      dispatcher,
    });
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
  }

  #channel(role: ServiceRole): GrpcChannel {
    const known = this.#channels.get(role);
    if (known !== undefined) return known;
    const { self, config, observer } = this.#settings;
    const address = config.services[self].peers[role];
    if (address === undefined) {
      throw new StartError(`${self} needs ${role}, and does not know where it is; set services.${self}.peers.${role} to its host:port.`);
    }
    const channel = new GrpcChannel(`dns:///${formatAddress(address)}`, {
      credentials: peersClientCredentials(config.dataDir, config.trustDomain, self, role),
      observer,
      unreachable: (error) => unavailable(role, error),
      options: {
        // The certificate is checked for its role; a fixed name keeps IP addresses out of TLS's server name (RFC 6066 §3).
        "grpc.ssl_target_name_override": role,
        "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
      },
    });
    this.#channels.set(role, channel);
    return channel;
  }
}
