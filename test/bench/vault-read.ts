import { randomBytes } from "node:crypto";
import { Pool } from "undici";
import { isSkipped, openbao } from "../support/servers.ts";

export interface VaultRead {
  /** One read; left out where there is no vault. */
  read?: () => Promise<void>;
  skipped?: string;
  stop(): Promise<void>;
}

/** A read over kept-alive plain HTTP with the root token: the least that a vault can be asked. */
export async function vaultRead(connections: number): Promise<VaultRead> {
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
