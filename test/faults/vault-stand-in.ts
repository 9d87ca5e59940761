import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a vault that fails does with a call. */
export type Failing = (answer: ServerResponse, request: IncomingMessage) => void;

/** A vault with KV version 2 at `secret/`, in memory, that takes any token and fails on demand. */
export interface VaultStandIn {
  readonly url: string;
  /** Undefined: it serves. */
  failing: Failing | undefined;
  /** Calls for data that it failed. */
  failed(): number;
  stop(): Promise<void>;
}

interface Version {
  readonly data: Record<string, string>;
  readonly created_time: string;
}

export async function startVaultStandIn(): Promise<VaultStandIn> {
  const kept = new Map<string, Version[]>();
  let failed = 0;
  const server = createServer(async (request, answer) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const path = (request.url ?? "").split("?")[0] as string;
    if (path === "/v1/auth/token/lookup-self") return void answer.end('{"data":{"ttl":0}}');
    if (vault.failing !== undefined) {
      failed++;
      return vault.failing(answer, request);
    }
    const versions = kept.get(path) ?? [];
    if (request.method === "POST") {
      const { data } = JSON.parse(Buffer.concat(pieces).toString("utf8")) as { data: Record<string, string> };
      kept.set(path, [...versions, { data, created_time: new Date().toISOString() }]);
      return void answer.end(JSON.stringify({ data: { version: versions.length + 1 } }));
    }
    const newest = versions.at(-1);
    if (newest === undefined) return void answer.writeHead(404).end('{"errors":[]}');
    const metadata = { version: versions.length, created_time: newest.created_time };
    answer.end(JSON.stringify({ data: { data: newest.data, metadata } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const vault: VaultStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failing: undefined,
    failed: () => failed,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return vault;
}
