export type * from "./caller.ts";
export * from "./gate.ts";
export { TrustFeed } from "./trust-feed.ts";
export { type Lease, leaseMs } from "./trust-state.ts";
