import type { DescService } from "@bufbuild/protobuf";
import type { Meter, Tracer } from "@opentelemetry/api";
import type { Logger } from "pino";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config/config.ts";
import type { Address } from "./config/fields.ts";
import type { EdgeRequest, EdgeResponse } from "./edge/edge-route.ts";
import type { Handlers, ServiceRole } from "./handler.ts";

/** What a process gives each service that it runs. */
export interface Host {
  /** The service that this host was made for. */
  readonly role: ServiceRole;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  readonly listeners: Listeners;
  readonly peers: Peers;
  /** `embedded`: all four services are in this process. */
  readonly mode: "embedded" | "split";
  /** Sallyport's version. */
  readonly version: string;
}

/** The process's one telemetry SDK. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly meter: Meter;
}

/** `notes`: what an operator should know of something that works all the same. */
export type Health = { readonly ok: true; readonly notes?: readonly string[] } | { readonly ok: false; readonly why: string };

/** What a service's `start` returns. */
export interface Running {
  readonly name: string;
  /** Whether it can do its work now. */
  ready(): Health;
  /** Called once no new call arrives and the old ones have ended or run past their bound: flush and let go. */
  stop(): Promise<void>;
}

/** A service's `main.ts` exports this as `start`. */
export type Starter = (host: Host) => Promise<Running>;

/** The process's doors. A service registers its handlers; all doors open once every service has started. */
export interface Listeners {
  /** TLS, for agents and people; proof by DPoP. */
  readonly agents: Listener;
  /** TLS with a client certificate of the agents' CA. */
  readonly agentsMtls: Listener;
  /** mTLS between services; what is served here is also what peers in the same process call. */
  readonly peers: Listener;
  /** HTTP: Connect, JSON, gRPC-Web and plain routes. */
  readonly edge: EdgeListener;
  /** TLS with a client certificate of the agents' CA, for tools that speak HTTP through a proxy. */
  readonly proxy: OwnListener;
}

/** A door whose protocol its service speaks itself. The process opens it with the others, drains and closes it with them. */
export interface OwnDoor {
  /** @param setting which setting names the address. @returns where it listens. @throws StartError */
  open(address: Address, setting: string): Promise<Address>;
  /** Takes nothing new and resolves once what runs has ended. */
  drain(): Promise<void>;
  /** Ends whatever still runs. */
  close(): void;
}

export interface OwnListener {
  /** @throws Error where something is served here already */
  serve(door: OwnDoor): this;
}

export interface ServeOptions<S extends DescService = DescService> {
  /** `peers` only: the services that may call. Left out: none. */
  readonly roles?: readonly ServiceRole[];
  /** Methods whose calls never end by themselves, or wait long: they are ended when draining begins, so that it need not wait for them. */
  readonly endless?: readonly (keyof S["method"] & string)[];
}

export interface Listener {
  /** @throws Error where the service is already served here */
  serve<S extends DescService>(service: S, handlers: Handlers<S>, options?: ServeOptions<S>): this;
}

export interface EdgeListener extends Listener {
  /** @param path exact, without query */
  route(method: "GET" | "POST", path: string, handler: (request: EdgeRequest) => Promise<EdgeResponse>): this;
}

export interface Peers {
  /** In-process where this process serves `role`, else gRPC over mTLS to `services.<self>.peers.<role>`. Connects when first called. */
  client<S extends DescService>(role: ServiceRole, service: S): Client<S>;
}
