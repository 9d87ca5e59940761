import type { Health } from "@sallyport/service";

/** A version of a secret as a store has it. The caller zeroes the values. */
export interface ReadSecret {
  /** The store's own name for it, such as `3`; another value always has another one. */
  readonly version: string;
  /** Epoch milliseconds, where the store tells. */
  readonly createdAt: number | undefined;
  readonly fields: ReadonlyMap<string, Buffer>;
}

export interface SecretVersion {
  readonly version: string;
  readonly createdAt: number | undefined;
}

/**
 * What a store adapter does. `path` is where this store keeps the secret. Whatever is not a clear answer in time is a Refusal
 * STORE_UNAVAILABLE; that there is no such secret, and that the broker may not have it, are one answer. An adapter holds no
 * value longer than the call, says nothing that a store said, and does its work by the guarded dialler alone. `conformance.ts`
 * is what each one must pass.
 */
export interface SecretStore {
  /**
   * @param version the newest where left out
   * @param signal ends the call with its reason
   * @throws Refusal STORE_UNAVAILABLE also where there is no such secret or version, or where the store keeps only the newest
   */
  read(path: string, version?: string, signal?: AbortSignal): Promise<ReadSecret>;
  /** The newest version, without a value. */
  describe(path: string, signal?: AbortSignal): Promise<SecretVersion>;
  /**
   * Stores a new version. Fields that are not named keep their values.
   * @param after the version it must follow, `0` for none yet; no check where left out
   * @throws Refusal INVALID_REQUEST where another version is the newest, where the store cannot check, or takes no writes: nothing was stored
   */
  write(path: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string>;
  /** The broker's own credentials to the store: masked like issued values. */
  ownCredentials(): readonly Uint8Array[];
  /** Whether the store can be reached and serves this broker; bounded in time. */
  health(): Promise<Health>;
  close(): Promise<void>;
}

/** Secrets by name, whichever store keeps them. */
export interface SecretReader {
  read(secret: string, version?: string, signal?: AbortSignal): Promise<ReadSecret>;
  describe(secret: string, signal?: AbortSignal): Promise<SecretVersion>;
}

export interface SecretWriter {
  write(secret: string, fields: ReadonlyMap<string, Uint8Array>, after?: string): Promise<string>;
}

/** Zeroes what was read. */
export function zero(fields: ReadonlyMap<string, Uint8Array>): void {
  for (const value of fields.values()) value.fill(0);
}
