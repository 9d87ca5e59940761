import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { request as secureRequest } from "node:https";
import type { Socket } from "node:net";
import { printable, Refusal } from "@sallyport/contracts";
import { note } from "../../output/print.ts";
import type { BrokerDoor } from "./broker-door.ts";

const limits = {
  maxHeaderSize: 24 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 0,
  keepAliveTimeout: 60_000,
  insecureHTTPParser: false,
  noDelay: true,
  // Other upgrades are offers that are not taken (RFC 9110 §7.8).
  shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === "websocket",
};

/** The tool's only way out. It adds the agent's credential to what it passes to the broker, and judges nothing: that is the broker's. */
export class LocalProxy {
  readonly #door: BrokerDoor;
  readonly #pass: Buffer | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #last = new WeakMap<Socket, ServerResponse>();
  readonly server: Server;

  /** @param pass what a tool must show as its proxy password, where others could reach this listener too */
  constructor(door: BrokerDoor, pass?: string) {
    this.#door = door;
    this.#pass = pass === undefined ? undefined : digest(`Basic ${Buffer.from(`run:${pass}`).toString("base64")}`);
    const forward = (request: IncomingMessage, response: ServerResponse) => void this.#inTurn(request, response);
    this.server = createServer(limits, forward);
    this.server.on("checkContinue", forward);
    this.server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => this.#upgrade(request, socket, head));
    this.server.on("connect", (request: IncomingMessage, socket: Socket, head: Buffer) => void this.#tunnel(request, socket, head));
    this.server.on("clientError", (_error, socket) => socket.destroy());
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #tunnel(request: IncomingMessage, tool: Socket, head: Buffer): Promise<void> {
    this.#keep(tool);
    if (!this.#isOurs(request)) return void tool.end(unauthorized);
    try {
      const { answer, socket, head: early } = await this.#door.connect(request.url ?? "");
      this.#keep(socket);
      const ok = answer.statusCode === 200;
      tool.write(ok ? "HTTP/1.1 200 Connection established\r\n\r\n" : headOf(answer));
      if (!ok) this.#say(request.url ?? "", answer, early);
      if (head.length > 0) socket.write(head);
      if (early.length > 0) tool.write(early);
      join(tool, socket);
    } catch (error) {
      const message = error instanceof Refusal ? error.message : "The broker's proxy cannot be reached.";
      note(`sallyport: ${message}`);
      tool.end("HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    }
  }

  /** Requests that a tool sends one behind the other are passed on so: the second may build on the first (RFC 9112 §9.3.2). */
  async #inTurn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const before = this.#last.get(request.socket);
    this.#last.set(request.socket, response);
    if (before !== undefined && !before.closed) await new Promise((resolve) => before.once("close", resolve));
    if (!request.socket.destroyed) this.#forward(request, response);
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#isOurs(request)) return void response.writeHead(407, { "proxy-authenticate": 'Basic realm="sallyport run"' }).end();
    const headers = forwarded(request.rawHeaders)
      .filter(([, value]) => !this.#isPass(value))
      .flat();
    const outgoing = secureRequest(this.#door.options(request.method ?? "GET", targetOf(request), headers));
    outgoing.on("continue", () => response.writeContinue());
    outgoing.on("response", (answer) => {
      response.sendDate = false;
      response.writeHead(answer.statusCode ?? 502, forwarded(answer.rawHeaders).flat());
      response.flushHeaders();
      answer.on("data", (piece) => response.write(piece) || answer.pause());
      response.on("drain", () => answer.resume());
      answer.on("end", () => {
        if (answer.rawTrailers.length > 0) response.addTrailers(pairsOf(answer.rawTrailers));
        response.end();
      });
      // Cut there is cut here: a tool must not take it for whole.
      answer.on("error", () => response.destroy());
    });
    outgoing.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502, { connection: "close" }).end()));
    response.on("close", () => outgoing.destroy());
    if (request.headers.expect !== undefined) outgoing.flushHeaders();
    request.on("error", () => outgoing.destroy());
    request.pipe(outgoing);
  }

  /** A WebSocket at the reverse path or at a plain target: the broker answers to it. */
  #upgrade(request: IncomingMessage, tool: Socket, head: Buffer): void {
    this.#keep(tool);
    if (!this.#isOurs(request)) return void tool.end(unauthorized);
    const headers = forwarded(request.rawHeaders).filter(([, value]) => !this.#isPass(value));
    const asked = [...headers, ["connection", "upgrade"]].flat();
    const outgoing = secureRequest(this.#door.options(request.method ?? "GET", targetOf(request), asked));
    outgoing.on("upgrade", (answer, socket, early) => {
      this.#keep(socket);
      tool.write(headOf(answer));
      if (early.length > 0) tool.write(early);
      if (head.length > 0) socket.write(head);
      join(tool, socket);
    });
    outgoing.on("response", (answer) => {
      // Its end is the connection's: the body comes here without its framing.
      const kept = forwarded(answer.rawHeaders).filter(([name]) => !/^transfer-encoding$/i.test(name));
      tool.write(headOf({ ...statusOf(answer), rawHeaders: [...kept, ["connection", "close"]].flat() }));
      answer.on("error", () => tool.destroy()).pipe(tool);
    });
    outgoing.on("error", () => tool.end("HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"));
    tool.on("close", () => outgoing.destroy());
    outgoing.end();
  }

  #isOurs(request: IncomingMessage): boolean {
    if (this.#pass === undefined) return true;
    return this.#isPass(request.headers[passHeaderOf(request)] ?? "");
  }

  #isPass(value: string): boolean {
    return this.#pass !== undefined && timingSafeEqual(digest(value), this.#pass);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy()).on("close", () => this.#sockets.delete(socket));
  }

  /** Most tools show nothing of why a proxy refused. */
  #say(authority: string, answer: IncomingMessage, body: Buffer): void {
    const reason = answer.headers["sallyport-reason"];
    const sentence = /"message":"((?:[^"\\]|\\.)*)"/.exec(body.toString("utf8"))?.[1];
    note(
      `sallyport: ${printable(authority)} is refused${reason === undefined ? "" : ` (${printable(String(reason))})`}${sentence === undefined ? "" : `: ${printable(sentence, 400)}`}`,
    );
  }
}

/** A proxy's password has a header of its own; at a base URL it comes as a site's does. */
const passHeaderOf = ({ url }: IncomingMessage) => (url?.startsWith("/") ? "authorization" : "proxy-authorization");

const digest = (text: string) => createHash("sha256").update(text).digest();

const unauthorized =
  'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="sallyport run"\r\nconnection: close\r\n\r\n';

function join(tool: Socket, socket: Socket): void {
  tool.pipe(socket).pipe(tool);
  tool.on("close", () => socket.destroy());
  socket.on("close", () => tool.destroySoon());
}

const statusOf = ({ statusCode, statusMessage }: IncomingMessage) => ({ statusCode, statusMessage });

const headOf = (answer: Pick<IncomingMessage, "statusCode" | "statusMessage" | "rawHeaders">) =>
  `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${pairsOf(answer.rawHeaders)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`;

const pairsOf = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name, raw[at + 1] as string]] : []));

/** The connection to the broker is another one; all else is the broker's to judge. */
const forwarded = (raw: readonly string[]): [string, string][] =>
  pairsOf(raw).filter(([name]) => !/^(?:proxy-authorization|proxy-connection|connection|keep-alive)$/i.test(name));

/**
 * A tool asks for its base URL by way of its proxy where `NO_PROXY` cannot name this machine, as a target is on it. That is still the
 * reverse path: this listener itself is no destination.
 */
function targetOf({ url = "/", socket }: IncomingMessage): string {
  const [, port, path] = /^http:\/\/(?:[^@/?#]*@)?(?:127\.0\.0\.1|localhost):(\d+)(\/.*)$/i.exec(url) ?? [];
  return path !== undefined && Number(port) === socket.localPort ? path : url;
}
