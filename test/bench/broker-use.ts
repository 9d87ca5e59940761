import { randomBytes } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { UseRequestSchema, UseResponseSchema } from "@sallyport/contracts";
import { useRequest } from "@sallyport/sdk";
import { Pool } from "undici";
import { isSkipped, openbao } from "../support/servers.ts";
import { certifiedChainOf, chainOf } from "./chain.ts";
import { type Figure, type Settings, throughput } from "./figure.ts";
import { installed } from "./installed.ts";
import { alternating } from "./load.ts";
import { rawGrpc } from "./raw-grpc.ts";

const depths = [1, 3, 5];
const peer = "OpenBao KV v2 read, raft storage, file audit device";

/**
 * Allowed uses per second, by the depth of the chain and by how its credential is bound, beside what a plain read of a vault
 * costs. With a certificate the broker is called as cheaply as the vault is; with DPoP through the SDK, which signs each call.
 */
export async function brokerUse(settings: Settings): Promise<Figure[]> {
  const sallyport = await installed();
  const vault = await vaultRead(settings.concurrency);
  try {
    const made = await Promise.all(
      depths.flatMap((depth) =>
        [certified(sallyport, depth), proven(sallyport, depth)].map(async (caller) => ({ depth, ...(await caller) })),
      ),
    );
    const name = ({ binding, depth }: (typeof made)[number]) => `use by a chain of ${depth}, ${binding}`;
    const contenders = Object.fromEntries(made.map((caller) => [name(caller), caller.use]));
    const runs = await alternating(settings, { ...contenders, ...(vault.read === undefined ? {} : { "vault read": vault.read }) });
    for (const { close } of made) close();
    return made.map((caller) => {
      const { depth, binding } = caller;
      return throughput(
        { name: "broker.use", depth, binding, peer, skipped: vault.skipped },
        runs[name(caller)] ?? [],
        runs["vault read"] ?? [],
      );
    });
  } finally {
    await vault.stop();
    await sallyport.stop();
  }
}

type Sallyport = Awaited<ReturnType<typeof installed>>;
const operation = { target: "orders-read", path: "/v1/orders/42" };

async function proven({ endpoints, workloadToken }: Sallyport, depth: number) {
  const agent = await chainOf(depth, endpoints, await workloadToken());
  const use = async () => {
    const answer = await agent.use(operation);
    if (answer.status !== 200) throw new Error(`the target answered ${answer.status}`);
    await answer.text();
  };
  return { binding: "dpop" as const, use, close: () => agent.close() };
}

async function certified({ endpoints, agentsMtls, workloadToken }: Sallyport, depth: number) {
  const { token, client } = await certifiedChainOf(depth, endpoints, await workloadToken());
  const headers = { authorization: `Bearer ${token}` };
  const door = rawGrpc(agentsMtls, "/sallyport.broker.v1.BrokerService/Use", { ca: endpoints.ca ?? "", client, headers });
  const request = Buffer.from(toBinary(UseRequestSchema, create(UseRequestSchema, useRequest(operation))));
  const use = async () => {
    const parts = (await door.call(request)).map((message) => fromBinary(UseResponseSchema, message).part);
    const [head, end] = [parts.at(0), parts.at(-1)];
    if (head?.case !== "head" || head.value.status !== 200 || end?.case !== "end") throw new Error("the use did not end well");
  };
  return { binding: "mtls" as const, use, close: () => door.close() };
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
