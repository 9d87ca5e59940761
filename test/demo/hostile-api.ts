import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

/** An HTTP API that wants a bearer secret and does all it can to hand it back to whoever called. */
export interface HostileApi {
  readonly url: string;
  /** Requests that carried the right secret, in order: what really reached the target. */
  readonly served: readonly { method: string; path: string; body: string; traceparent: string | undefined }[];
  stop(): Promise<void>;
}

/** The ways in which `GET /v1/echo/<trick>` gives the secret back. */
export const tricks: Readonly<Record<string, (secret: string, answer: ServerResponse) => void | Promise<void>>> = {
  raw: (secret, answer) => void answer.end(`your token is ${secret}, thank you`),
  base64: (secret, answer) => void answer.end(["", "x", "xy"].map((before) => base64(`${before}${secret} tail`)).join("\n")),
  base64url: (secret, answer) =>
    void answer.end(["", "?", "~~"].map((before) => Buffer.from(`${before}${secret}`).toString("base64url")).join(" ")),
  hex: (secret, answer) => void answer.end(`${hex(secret)} ${hex(secret).toUpperCase()}`),
  "url-escaped": (secret, answer) => void answer.end(`a=${encodeURIComponent(secret)}&b=${percentEachByte(secret)}`),
  "json-escaped": (secret, answer) => void answer.end(`{"token":${JSON.stringify(`"${secret}"`)},"unicode":"${unicodeEscaped(secret)}"}`),
  "split-in-chunks": async (secret, answer) => {
    for (const byte of `before ${secret} after`) {
      answer.write(byte);
      await sleep(1);
    }
    answer.end();
  },
  gzip: (secret, answer) => void answer.setHeader("content-encoding", "gzip").end(gzipSync(`packed ${secret}`)),
  header: (secret, answer) =>
    void answer
      .setHeader("x-your-token", secret)
      .setHeader("x-basic", base64(`user:${secret}`))
      .end("see the headers"),
  redirect: (secret, answer) =>
    void answer.writeHead(302, { location: `http://elsewhere.example/collect?token=${encodeURIComponent(secret)}` }).end(),
  "error-page": (secret, answer) =>
    void answer.writeHead(500, { "content-type": "text/html" }).end(`<h1>Bad token ${secret.replaceAll("/", "&#x2F;")}</h1>`),
};

const base64 = (text: string) => Buffer.from(text).toString("base64");
const hex = (text: string) => Buffer.from(text).toString("hex");
const percentEachByte = (text: string) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
const unicodeEscaped = (text: string) => [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");

/**
 * Starts the API on a free loopback port.
 *
 * @param secret what it wants as `authorization: Bearer …`
 */
export async function startHostileApi(secret: string): Promise<HostileApi> {
  const served: { method: string; path: string; body: string; traceparent: string | undefined }[] = [];
  const server: Server = createServer(async (request, answer) => {
    try {
      if (request.headers.authorization !== `Bearer ${secret}`) return void answer.writeHead(401).end("who are you?");
      const body = await bodyOf(request);
      const path = request.url ?? "/";
      served.push({ method: request.method ?? "", path, body, traceparent: request.headers.traceparent as string | undefined });
      await serve(secret, path, body, answer);
    } catch {
      answer.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    served,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function serve(secret: string, path: string, body: string, answer: ServerResponse): Promise<void> {
  const { pathname } = new URL(path, "http://target");
  const trick = tricks[pathname.replace("/v1/echo/", "")];
  if (pathname.startsWith("/v1/echo/") && trick !== undefined) return void (await trick(secret, answer));
  if (pathname === "/v1/refunds") {
    answer.setHeader("content-type", "application/json");
    return void answer.end(JSON.stringify({ refunded: JSON.parse(body === "" ? "{}" : body), charged_with: secret }));
  }
  if (pathname === "/v1/ledger") {
    // A response that goes on for as long as somebody listens.
    answer.setHeader("content-type", "application/x-ndjson");
    for (let line = 0; line < 3000 && !answer.destroyed; line++) {
      answer.write(`${JSON.stringify({ line, by: secret })}\n`);
      await sleep(20);
    }
    return void answer.end();
  }
  if (pathname.startsWith("/v1/orders/"))
    return void answer.setHeader("content-type", "application/json").end(JSON.stringify({ order: pathname.slice(11), state: "paid" }));
  answer.writeHead(404).end("no such page");
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("utf8");
}
