import type { SecretStore } from "../secret-store.ts";

/** What differs between the two versions of the KV engine. */
export type KvEngine = Pick<SecretStore, "read" | "describe" | "write">;
