export type * from "./client.ts";
export * from "./clock.ts";
export * from "./config/index.ts";
export { edgeError } from "./edge/edge-error.ts";
export type * from "./edge/edge-route.ts";
export * from "./gate/index.ts";
export { type ChannelSettings, GrpcChannel } from "./grpc/client.ts";
export type * from "./handler.ts";
export type * from "./host.ts";
export { type InitOptions, initKeys } from "./keys/init-keys.ts";
export {
  brokerGroupKey,
  checkpointPrivateKey,
  checkpointPublicKey,
  keysFolder,
  proxyAuthorityKey,
  readAuthority,
} from "./keys/key-files.ts";
export { roles, spiffeIdOf } from "./keys/spiffe.ts";
export { type KeyPair, readKeyPair } from "./keys/tls.ts";
export { unavailable } from "./peers/unavailable.ts";
export { listenAt } from "./process/listen-at.ts";
export { type ProcessOptions, type RunningProcess, runProcess } from "./process/run-process.ts";
export { StartError } from "./process/start-error.ts";
export { createLogger } from "./telemetry/logger.ts";
