import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, until } from "../process/port.ts";
import { lacking, obtain } from "../provision/obtain.ts";
import { openbaoBinary } from "../provision/openbao.ts";
import { onPath } from "./on-path.ts";
import { call, mountKv, raftConfig, status } from "./openbao.ts";
import { type Finder, type OwnServer, own, type Skipped } from "./server.ts";

export interface OpenbaoCluster extends OwnServer {
  /** The base URLs of its nodes; `address` is the first. */
  readonly addresses: readonly string[];
  readonly token: string;
  /** Which of them is active now; undefined while none is. */
  active(): Promise<number | undefined>;
  node(index: number): OwnServer;
}

const missing = (): string | undefined => {
  const lacks = onPath("bao") === undefined ? lacking(openbaoBinary) : undefined;
  return lacks === undefined ? undefined : `no OpenBao cluster: ${lacks}, or install bao`;
};

/** Three OpenBao nodes that share their data (Raft): one is active, two stand by. KV version 2 at `secret/`. */
export const openbaoCluster: Finder<OpenbaoCluster> = Object.assign(
  async (): Promise<OpenbaoCluster | Skipped> => {
    const why = missing();
    if (why !== undefined) return { skipped: why };
    const bao = onPath("bao") ?? join(await obtain(openbaoBinary), "bao");
    const ports = await Promise.all(Array.from({ length: 6 }, () => freePort()));
    const addresses = ports.slice(0, 3).map((port) => `http://127.0.0.1:${port}`);
    let [token, key] = ["", ""];
    const unseal = async (address: string) => {
      // A node that joins takes the key only once it has found the active one.
      for (let tries = 0; tries < 400; tries++) {
        if ([200, 429].includes((await status(address)) ?? 0)) return;
        await call(address, "", "PUT", "sys/unseal", { key }).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`${address} was not unsealed in time`);
    };
    const nodes: OwnServer[] = [];
    for (const [i, address] of addresses.entries()) {
      const node = await own(address, (folder) => {
        const config = join(folder, "bao.hcl");
        return {
          name: "OpenBao",
          command: bao,
          args: ["server", `-config=${config}`],
          env: { ...process.env, HOME: folder },
          prepare: async () => {
            mkdirSync(join(folder, "data"));
            writeFileSync(
              config,
              raftConfig(folder, ports[i] as number, ports[i + 3] as number, `node-${i}`, i === 0 ? [] : [addresses[0] as string]),
            );
          },
          ready: async () => (await status(address)) !== undefined,
          started: async () => {
            if (key === "") {
              const made = (await call(address, "", "PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 })) as {
                keys: string[];
                root_token: string;
              };
              [token, key] = [made.root_token, made.keys[0] as string];
            }
            await unseal(address);
          },
        };
      });
      nodes.push(node);
      if (i === 0) {
        while ((await status(address)) !== 200) await new Promise((resolve) => setTimeout(resolve, 25));
        await mountKv(address, token);
        await call(address, token, "POST", "sys/storage/raft/autopilot/configuration", { server_stabilization_time: "1s" });
      }
    }
    // A new node has no vote at first: until all have theirs, the others could not go on without the active one.
    await until("every node to have a vote", async () => {
      const { data } = (await call(addresses[0] as string, token, "GET", "sys/storage/raft/configuration")) as {
        data: { config: { servers: { voter: boolean }[] } };
      };
      return data.config.servers.filter(({ voter }) => voter).length === addresses.length;
    });
    const active = async () => {
      const all = await Promise.all(addresses.map(status));
      const index = all.indexOf(200);
      return index < 0 ? undefined : index;
    };
    return {
      ...(nodes[0] as OwnServer),
      addresses,
      token,
      active,
      node: (index) => nodes[index] as OwnServer,
      stop: async () => {
        await Promise.all(nodes.map((node) => node.stop()));
      },
    };
  },
  { missing },
);
