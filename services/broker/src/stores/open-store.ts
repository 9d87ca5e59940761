import type { Tracer } from "@opentelemetry/api";
import type { Clock, Store } from "@sallyport/service";
import { FileStore } from "./file/file-store.ts";
import { OpenBaoStore } from "./openbao/openbao-store.ts";
import type { SecretStore } from "./secret-store.ts";

export interface OpenOptions {
  readonly clock: Clock;
  readonly tracer?: Tracer | undefined;
  /** Names versions in stores that have none: see `content-version.ts`. */
  readonly versionKey: Uint8Array;
}

/** Kinds that were never tried against anything but what we wrote ourselves: no independent emulator of theirs was to be had. */
export const unverifiedKinds: ReadonlySet<Store["kind"]> = new Set<Store["kind"]>(["gcp-secret-manager", "azure-key-vault"]);

/**
 * The adapter for a kind of store, loaded when one is configured.
 * @throws Refusal INVALID_REQUEST where a key, a certificate or a reference is not what it must be, or the vendor's SDK is not installed
 */
export async function openStore(name: string, store: Store, options: OpenOptions): Promise<SecretStore> {
  const { clock, tracer } = options;
  switch (store.kind) {
    case "file":
      return FileStore.open(name, store, clock);
    case "openbao":
      return new OpenBaoStore(name, store, options);
    case "environment":
      return new (await import("./environment/environment-store.ts")).EnvironmentStore(name, store, options);
    case "kubernetes":
      return new (await import("./kubernetes/kubernetes-store.ts")).KubernetesStore(name, store, { tracer });
    case "aws-secrets-manager":
      return (await import("./aws/aws-store.ts")).AwsStore.open(name, store);
    case "gcp-secret-manager":
      return (await import("./gcp/gcp-store.ts")).GcpStore.open(name, store, options);
    case "azure-key-vault":
      return (await import("./azure/azure-store.ts")).AzureStore.open(name, store, options);
  }
}
