export { AllowedRanges, canonicalAddress, type Restricted, restricted } from "./address.ts";
export { type Destination, Egress, type EgressOptions } from "./egress.ts";
export { type Fetched, type FetchOptions, fetchBounded } from "./fetch-bounded.ts";
