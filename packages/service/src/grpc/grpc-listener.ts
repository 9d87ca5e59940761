import type { DescService } from "@bufbuild/protobuf";
import { Server, type ServerCredentials, type ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { type Address, formatAddress } from "../config/index.ts";
import type { Dispatcher } from "../dispatch.ts";
import type { Door, Handlers } from "../handler.ts";
import type { Listener, ServeOptions } from "../host.ts";
import { cannotListen } from "../process/start-error.ts";
import { Registry } from "../registry.ts";
import { serverOptions } from "./limits.ts";
import { peerIdentity } from "./peer-identity.ts";
import { markRepeatedHeaders } from "./repeated-headers.ts";
import { methodDefinition, serverMethod } from "./server-methods.ts";
import { statusOfTransport } from "./status.ts";

export interface GrpcDoor {
  readonly door: Exclude<Door, "edge" | "in-process">;
  readonly trustDomain: string;
  readonly address: Address;
  /** Where the address can be changed, for messages: `listen.agents`. */
  readonly setting: string;
  readonly credentials: () => ServerCredentials;
  readonly dispatcher: Dispatcher;
  readonly log: Logger;
}

/** One gRPC door. Services register; `open` starts listening for all of them at once. */
export class GrpcListener implements Listener {
  readonly registry = new Registry();
  readonly #door: GrpcDoor;
  readonly #draining = new AbortController();
  #server: Server | undefined;

  constructor(door: GrpcDoor) {
    this.#door = door;
  }

  serve<S extends DescService>(service: S, handlers: Handlers<S>, options: ServeOptions<S> = {}): this {
    if (this.#server !== undefined) throw new Error(`${service.typeName} came after the door was opened`);
    this.registry.add(service, handlers, this.#door.door === "peers" ? endingStreams(service, options) : options);
    return this;
  }

  /** @returns where it listens, the port chosen where 0 was asked for. @throws StartError */
  async open(): Promise<Address> {
    const { door, trustDomain, address, setting, credentials, dispatcher, log } = this.#door;
    const server = new Server({ ...serverOptions, interceptors: [reasonForTransportErrors] });
    const identify = (call: Parameters<typeof peerIdentity>[0]) => peerIdentity(call, door, trustDomain);
    const side = { door, dispatcher, log, identify, draining: this.#draining.signal };
    for (const served of this.registry.values()) {
      const methods = served.service.methods;
      server.addService(
        Object.fromEntries(methods.map((method) => [method.name, methodDefinition(method)])),
        Object.fromEntries(methods.map((method) => [method.name, serverMethod(side, served, method)])),
      );
    }
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync(formatAddress(address), credentials(), (error, bound) =>
        error ? reject(cannotListen(address, setting, error)) : resolve(bound),
      ),
    );
    markRepeatedHeaders(server);
    this.#server = server;
    return { host: address.host, port };
  }

  /** Takes no new call and resolves once the running ones have ended. */
  async drain(): Promise<void> {
    this.#draining.abort();
    await new Promise<void>((resolve) => (this.#server === undefined ? resolve() : this.#server.tryShutdown(() => resolve())));
  }

  /** Ends whatever is still running. */
  close(): void {
    this.#server?.forceShutdown();
  }
}

/** Streams between services go on for as long as both live; they begin anew elsewhere, so draining does not wait for them. */
function endingStreams<S extends DescService>(service: S, options: ServeOptions<S>): ServeOptions<S> {
  const streams = service.methods.filter((method) => method.methodKind !== "unary").map((method) => method.localName);
  return { ...options, endless: options.endless ?? streams };
}

/** grpc-js answers some bad messages before any handler; the same reason codes belong there. */
const reasonForTransportErrors: ServerInterceptor = (_method, call) => {
  const sendStatus = call.sendStatus.bind(call);
  call.sendStatus = (status) => sendStatus(statusOfTransport(status));
  return call as unknown as ServerInterceptingCall;
};
