import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { leaksIn } from "./leaks.ts";

/** Takes what is exported by OTLP over HTTP, looks through it for the canary, and keeps none of it. */
export interface SpanSink {
  readonly url: string;
  readonly bytes: number;
  readonly leaks: readonly string[];
  stop(): Promise<void>;
}

export async function startSpanSink(canary: string): Promise<SpanSink> {
  const leaks: string[] = [];
  let bytes = 0;
  const server = createServer(async (request, answer) => {
    try {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const sent = Buffer.concat(pieces);
      const body = request.headers["content-encoding"] === "gzip" ? await promisify(gunzip)(sent) : sent;
      bytes += body.length;
      leaks.push(...leaksIn(body, canary).map((encoding) => `a span: ${encoding}`));
      answer.writeHead(200, { "content-type": "application/json" }).end("{}");
    } catch {
      answer.writeHead(400).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leaks,
    get bytes() {
      return bytes;
    },
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
