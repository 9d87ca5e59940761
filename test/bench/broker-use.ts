import { type Figure, type Settings, throughput } from "./figure.ts";
import { type Form, type Installed, installed } from "./installed.ts";
import { alternating } from "./load.ts";
import { useByCertificate, useByProof } from "./use-by.ts";
import { vaultRead } from "./vault-read.ts";

const peer = "OpenBao KV v2 read, raft storage, file audit device";
/** Seconds; a value that is used again without asking its store. */
const cacheSeconds = 60;

interface Contender {
  readonly about: Pick<Figure, "depth" | "binding" | "store" | "brokers">;
  use(): Promise<void>;
  close(): void;
}

/**
 * Allowed uses per second, beside what a plain read of a vault costs. In one process by the depth of the chain and by how its credential
 * is bound; without the store's cache; and by two brokers in processes of their own. With a certificate the broker is called as
 * cheaply as the vault is; with DPoP through the SDK, which signs each call.
 */
export async function brokerUse(settings: Settings): Promise<Figure[]> {
  const vault = await vaultRead(settings.concurrency);
  const figures: Figure[] = [];
  try {
    const forms: [Form, readonly number[]][] = [
      [{ cacheSeconds }, [1, 3, 5]],
      [{ cacheSeconds: 0 }, [3]],
      [{ cacheSeconds, brokers: 2 }, [3]],
    ];
    for (const [form, depths] of forms) figures.push(...(await measured(form, depths, vault, settings)));
  } finally {
    await vault.stop();
  }
  return figures;
}

async function measured(form: Form, depths: readonly number[], vault: Awaited<ReturnType<typeof vaultRead>>, settings: Settings) {
  const sallyport = await installed(form);
  try {
    const contenders = (await Promise.all(depths.map((depth) => contendersOf(sallyport, form, depth)))).flat();
    const names = contenders.map(({ about }) => `use, ${Object.values(about).join(", ")}`);
    const uses = Object.fromEntries(contenders.map(({ use }, i) => [names[i] as string, use]));
    const runs = await alternating(settings, { ...uses, ...(vault.read === undefined ? {} : { "vault read": vault.read }) });
    for (const { close } of contenders) close();
    return contenders.map(({ about }, i) =>
      throughput({ name: "broker.use", ...about, peer, skipped: vault.skipped }, runs[names[i] as string] ?? [], runs["vault read"] ?? []),
    );
  } finally {
    await sallyport.stop();
  }
}

async function contendersOf(sallyport: Installed, { cacheSeconds, brokers }: Form, depth: number): Promise<Contender[]> {
  const about = {
    depth,
    store: cacheSeconds > 0 ? ("cached" as const) : ("asked" as const),
    ...(brokers === undefined ? {} : { brokers }),
  };
  return [
    { about: { ...about, binding: "mtls" }, ...(await useByCertificate(sallyport, depth)) },
    { about: { ...about, binding: "dpop" }, ...(await useByProof(sallyport, depth)) },
  ];
}
