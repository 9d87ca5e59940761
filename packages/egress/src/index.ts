export type { ClientIdentity } from "./dial.ts";
export { type Destination, Egress, type EgressOptions } from "./egress.ts";
export type { Fetched, FetchInit } from "./fetch.ts";
export { orAborted } from "./or-aborted.ts";
export type { Door } from "./own-doors.ts";
export type { Resolve } from "./resolve.ts";
export type { UpstreamProxy } from "./upstream-proxy.ts";
