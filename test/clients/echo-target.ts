import { once } from "node:events";
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { certificateFor } from "../../packages/egress/src/certificates.fixture.ts";
import { tricks } from "../demo/hostile-api.ts";

/** What reached the target, as it came. */
export interface Reached {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface EchoTarget {
  readonly host: string;
  readonly port: number;
  /** Of its certificate, PEM; undefined where it speaks plain HTTP. */
  readonly ca: string | undefined;
  readonly reached: Reached[];
  /** The bearer secret that every request carried, or the request is not here. */
  stop(): Promise<void>;
}

/** More routes for one test's target; true where it has answered. */
export type Routes = (request: IncomingMessage, answer: ServerResponse, body: Buffer) => boolean | Promise<boolean>;

/**
 * A target that wants a bearer secret and gives it back in every way it can: `/anything` mirrors the request with all its headers,
 * `/v1/echo/<trick>` has the tricks of the demo's hostile API.
 *
 * @param host the name in its certificate; without TLS where `plain`
 */
export async function startEcho(
  host: string,
  secret: string,
  options: { plain?: boolean; routes?: Routes; address?: string } = {},
): Promise<EchoTarget> {
  const reached: Reached[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    try {
      const streamed = request.url === "/upload";
      const body = streamed ? await counted(request) : await bodyOf(request);
      reached.push({ method: request.method ?? "", url: request.url ?? "", rawHeaders: request.rawHeaders, body });
      if (!JSON.stringify(request.headers).includes(JSON.stringify(secret).slice(1, -1)))
        return void response.writeHead(401).end("who are you?");
      if (await options.routes?.(request, response, body)) return;
      await serve(secret, request, response, body);
    } catch {
      response.destroy();
    }
  };
  const certificate = options.plain ? undefined : await certificateFor(host, "dns");
  const server = certificate === undefined ? createPlain(answer) : createServer({ cert: certificate.cert, key: certificate.key }, answer);
  await new Promise<void>((resolve) => server.listen(0, options.address ?? "127.0.0.1", resolve));
  return {
    host,
    port: (server.address() as AddressInfo).port,
    ca: certificate?.cert,
    reached,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function serve(secret: string, request: IncomingMessage, answer: ServerResponse, body: Buffer): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://target");
  const trick = tricks[pathname.replace("/v1/echo/", "")];
  if (pathname.startsWith("/v1/echo/") && trick !== undefined) return void (await trick(secret, answer));
  switch (pathname) {
    case "/v1/stream":
      answer.setHeader("content-type", "text/event-stream");
      for (let event = 0; event < 5 && !answer.destroyed; event++) {
        answer.write(`data: ${JSON.stringify({ event, at: Date.now(), by: secret })}\n\n`);
        await sleep(150);
      }
      return void answer.end();
    case "/v1/heartbeat":
      answer.setHeader("content-type", "text/plain");
      for (let beat = 0; beat < 5 && !answer.destroyed; beat++) {
        answer.write(".");
        await sleep(150);
      }
      return void answer.end();
    case "/v1/trailers":
      answer.writeHead(200, { trailer: "x-checksum" });
      answer.write("body");
      answer.addTrailers({ "x-checksum": secret });
      return void answer.end();
    case "/upload":
      return void answer.end(JSON.stringify({ bytes: Number(body.toString()) }));
    case "/download": {
      const piece = Buffer.alloc(64 * 1024, "x");
      for (let sent = 0; sent < 64 && !answer.destroyed; sent++) if (!answer.write(piece)) await once(answer, "drain");
      return void answer.end(secret);
    }
    default:
      answer.setHeader("content-type", "application/json");
      answer.setHeader("etag", '"1"');
      answer.setHeader("set-cookie", "session=of-the-secret");
      answer.end(JSON.stringify({ method: request.method, url: request.url, headers: request.rawHeaders, body: body.toString("latin1") }));
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** How long it is, kept nowhere. */
async function counted(request: IncomingMessage): Promise<Buffer> {
  let length = 0;
  for await (const piece of request) length += (piece as Buffer).length;
  return Buffer.from(String(length));
}
