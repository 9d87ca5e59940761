import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A target whose answers go on for ever, a line at a time on each. */
export interface Drip {
  readonly url: string;
  /** Answers that are open. */
  readonly open: number;
  stop(): Promise<void>;
}

/** @param everyMs from one line to the next, on each answer. @param line without its line feed */
export async function startDrip(line: string, everyMs: number): Promise<Drip> {
  const open = new Set<ServerResponse>();
  const server = createServer((request, answer) => {
    request.resume();
    if (!request.url?.startsWith("/v1/ledger")) return void answer.end("once");
    answer.writeHead(200, { "content-type": "application/x-ndjson" }).write(`${line}\n`);
    open.add(answer);
    answer.once("close", () => open.delete(answer));
  });
  const timer = setInterval(() => {
    for (const answer of open) answer.write(`${line}\n`);
  }, everyMs);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get open() {
      return open.size;
    },
    stop: () => {
      clearInterval(timer);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
