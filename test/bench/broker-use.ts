import { randomBytes } from "node:crypto";
import { Pool } from "undici";
import { isSkipped, openbao } from "../support/servers.ts";
import { chainOf } from "./chain.ts";
import { type Figure, type Settings, throughput } from "./figure.ts";
import { installed } from "./installed.ts";
import { alternating } from "./load.ts";

const depths = [1, 3, 5];
const peer = "OpenBao KV v2 read, raft storage, file audit device";

/** Allowed uses per second of a DPoP-bound credential, by the depth of its chain, beside what a plain read of a vault costs. */
export async function brokerUse(settings: Settings): Promise<Figure[]> {
  const sallyport = await installed();
  const vault = await vaultRead(settings.concurrency);
  try {
    const token = sallyport.workloadToken;
    const agents = await Promise.all(
      depths.map(async (depth) => ({ depth, agent: await chainOf(depth, sallyport.endpoints, await token()) })),
    );
    const contenders = Object.fromEntries(
      agents.map(({ depth, agent }) => [
        `use by a chain of ${depth}`,
        async () => {
          const answer = await agent.use({ target: "orders-read", path: "/v1/orders/42" });
          if (answer.status !== 200) throw new Error(`the target answered ${answer.status}`);
          await answer.text();
        },
      ]),
    );
    const runs = await alternating(settings, { ...contenders, ...(vault.read === undefined ? {} : { "vault read": vault.read }) });
    for (const { agent } of agents) agent.close();
    return depths.map((depth) =>
      throughput(
        { name: "broker.use", depth, peer, skipped: vault.skipped },
        runs[`use by a chain of ${depth}`] ?? [],
        runs["vault read"] ?? [],
      ),
    );
  } finally {
    await vault.stop();
    await sallyport.stop();
  }
}

interface Vault {
  read?: () => Promise<void>;
  skipped?: string;
  stop(): Promise<void>;
}

/** A read over kept-alive plain HTTP with the root token: the least that a vault can be asked. */
async function vaultRead(connections: number): Promise<Vault> {
  const server = await openbao({ durable: true });
  if (isSkipped(server)) return { skipped: server.skipped, stop: async () => {} };
  await server.api("POST", "secret/data/bench", { data: { token: randomBytes(24).toString("base64url") } });
  const pool = new Pool(server.address, { connections, pipelining: 1 });
  const headers = { "x-vault-token": server.token };
  return {
    read: async () => {
      const { statusCode, body } = await pool.request({ method: "GET", path: "/v1/secret/data/bench", headers });
      await body.json();
      if (statusCode !== 200) throw new Error(`OpenBao answered ${statusCode}`);
    },
    stop: async () => {
      await pool.close();
      await server.stop();
    },
  };
}
