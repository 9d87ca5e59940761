// The calling side alone, for what people install: no server, no telemetry SDK, no configuration.
export type { CallOptions, Client } from "./client.ts";
export { type ChannelSettings, GrpcChannel } from "./grpc/client.ts";
export { RpcObserver } from "./telemetry/rpc-observer.ts";
