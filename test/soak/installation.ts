import { loopback } from "../demo/configuration.ts";
import { vaultRole } from "../demo/scaled-out.ts";
import { type Replica, type Site, splitSite } from "../faults/site.ts";
import { removeScratch, scratchFolder } from "../support/process/scratch.ts";
import type { OpenbaoServer, OwnServer } from "../support/servers.ts";

/** The real servers that a soak stands on; it kills each of them. */
export interface RealServers {
  readonly redis: OwnServer;
  readonly kafka: OwnServer;
  /** Durable: it must come back with what it held. */
  readonly openbao: OpenbaoServer;
}

/** Two brokers with the others of a split installation, on real servers. */
export interface SoakSite {
  readonly site: Site & { readonly secondBroker: Replica };
  readonly topic: string;
  stop(): Promise<void>;
}

/** @param traces where spans go */
export async function startSoakSite({ redis, kafka, openbao }: RealServers, canary: string, traces: string): Promise<SoakSite> {
  const folder = scratchFolder("soak-vault-role");
  const topic = `sallyport.soak.${process.pid}.${Date.now()}`;
  try {
    const auth = await vaultRole(openbao, folder);
    const site = await splitSite(redis.address, {
      canary,
      twoBrokers: true,
      kafka: { address: kafka.address, topic },
      configure: (config) => {
        config.stores.vault = { kind: "openbao", address: openbao.address, auth, network: loopback };
        config.telemetry = { otlp: traces };
      },
    });
    return {
      site: site as SoakSite["site"],
      topic,
      stop: async () => {
        await site.stop();
        removeScratch(folder);
      },
    };
  } catch (error) {
    removeScratch(folder);
    throw error;
  }
}
