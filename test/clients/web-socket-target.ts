import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { certificateFor } from "../../packages/egress/src/certificates.fixture.ts";

/** What reached a target of WebSockets. */
export interface WebSocketTarget {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly upgrades: IncomingMessage[];
  /** Messages of tools, as text. */
  readonly messages: string[];
  /** Codes with which connections were closed. */
  readonly closed: number[];
  stop(): Promise<void>;
}

/** Talks by itself on each path as `scripts` has it; on any other it gives back what it is sent. It would compress, if it was asked to. */
export async function startWebSockets(
  host: string,
  secret: string,
  scripts: Readonly<Record<string, (socket: WebSocket) => void>> = {},
): Promise<WebSocketTarget> {
  const certificate = await certificateFor(host, "dns");
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (_request, answer) => answer.writeHead(426).end());
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: { threshold: 0 },
    handleProtocols: (offered) => [...offered].at(-1) ?? false,
  });
  const target: WebSocketTarget = {
    host,
    port: 0,
    ca: certificate.cert,
    upgrades: [],
    messages: [],
    closed: [],
    stop: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("upgrade", (request, socket, head) => {
    target.upgrades.push(request);
    if (request.headers.authorization !== `Bearer ${secret}`)
      return void socket.end(
        `HTTP/1.1 401 Unauthorized\r\nx-was: ${secret}\r\nconnection: close\r\ncontent-length: ${secret.length}\r\n\r\n${secret}`,
      );
    if (request.url === "/refused")
      return void socket.end(
        `HTTP/1.1 418 No\r\nx-was: ${secret}\r\nconnection: close\r\ncontent-length: ${secret.length}\r\n\r\n${secret}`,
      );
    sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on("close", (code) => target.closed.push(code)).on("error", () => undefined);
      opened.on("message", (data, binary) => {
        target.messages.push(data.toString());
        if (scripts[request.url ?? ""] === undefined) opened.send(data, { binary });
      });
      scripts[request.url ?? ""]?.(opened);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(target, { port: (server.address() as AddressInfo).port });
}
