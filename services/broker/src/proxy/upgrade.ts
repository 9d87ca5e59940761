import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Refusal } from "@sallyport/contracts";
import { type WebSocket, WebSocketServer } from "ws";
import { listOf, namedByConnection } from "../targets/header-lines.ts";
import { protocolHeader } from "../targets/operation.ts";
import { messageBound } from "../targets/web-socket.ts";
import { Http1Answer, headersOf } from "./http1.ts";
import { once } from "./tool-headers.ts";
import type { ToolAnswer, ToolUpgrade } from "./tool-request.ts";

/** Milliseconds that a side has to close once it was told to. */
const closingMs = 2_000;

/** What a tool asks for by its upgrade (RFC 6455 §4.2.1). @throws Refusal INVALID_REQUEST */
function protocolsOf(request: IncomingMessage): string[] {
  const headers = headersOf(request.rawHeaders);
  const key = once(headers, "sec-websocket-key") ?? "";
  const wellFormed =
    request.httpVersion === "1.1" &&
    namedByConnection(headers).has("upgrade") &&
    once(headers, "upgrade") !== undefined &&
    once(headers, "sec-websocket-version") === "13" &&
    /^[+/0-9A-Za-z]{22}==$/.test(key) &&
    request.headers["content-length"] === undefined &&
    request.headers["transfer-encoding"] === undefined;
  const offered = listOf(headers, protocolHeader);
  const tokens = offered.every((one) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(one)) && new Set(offered).size === offered.length;
  if (!wellFormed || !tokens)
    throw new Refusal("INVALID_REQUEST", "This asks for a WebSocket in a way that RFC 6455 §4.1 does not know; nothing was opened.", {
      metadata: { effect: "none" },
    });
  return offered;
}

/** The answer to an upgrade: the WebSocket's opening, or an answer of HTTP with which the connection ends. */
export class UpgradeAnswer implements ToolAnswer {
  readonly #request: IncomingMessage;
  readonly #socket: Duplex;
  readonly #head: Buffer;
  readonly #plain: Http1Answer;
  readonly #accepted = Promise.withResolvers<WebSocket>();
  readonly response: ServerResponse;
  #tool: WebSocket | undefined;

  constructor(request: IncomingMessage, socket: Duplex, head: Buffer) {
    this.#request = request;
    this.#socket = socket;
    this.#head = head;
    this.response = new ServerResponse(request);
    this.#plain = new Http1Answer(request, this.response, true);
    // Whoever waits for it has other ways to learn that it does not come.
    this.#accepted.promise.catch(() => undefined);
  }

  /**
   * Takes the connection over: only once it is this request's turn, as until then the answers before it hold the connection.
   *
   * @returns false where another answer still holds it, one of node:http's own; it was ended then
   */
  begin(): boolean {
    const socket = this.#socket as Duplex & { _httpMessage?: ServerResponse | null };
    if (socket.destroyed || (socket._httpMessage ?? null) !== null) {
      socket.destroy();
      return false;
    }
    this.response.assignSocket(socket as never);
    this.response.once("finish", () => socket.end());
    return true;
  }

  /** @throws Refusal INVALID_REQUEST */
  asked(): ToolUpgrade {
    return { protocols: protocolsOf(this.#request), accepted: this.#accepted.promise };
  }

  /** The replica stops; another one will answer (RFC 6455 §7.4.1: going away). */
  leave(): void {
    this.#tool?.close(1001);
  }

  terminate(): void {
    this.#tool?.terminate();
    this.#socket.destroy();
  }

  head(status: number, headers: readonly [string, string][]): void {
    if (status !== 101) return this.#plain.head(status, headers);
    this.response.detachSocket(this.#socket as never);
    const protocol = headers.find(([name]) => name === protocolHeader)?.[1];
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: messageBound(Number.POSITIVE_INFINITY),
      handleProtocols: () => protocol ?? false,
    });
    server.on("headers", (lines: string[]) => {
      for (const [name, value] of headers) if (name !== protocolHeader) lines.push(`${name}: ${value}`);
    });
    server.handleUpgrade(this.#request, this.#socket, this.#head, (tool) => {
      tool.on("error", () => tool.terminate());
      tool.pause();
      this.#tool = tool;
      this.#accepted.resolve(tool);
    });
  }

  data(bytes: Uint8Array): Promise<void> {
    return this.#plain.data(bytes);
  }

  end(trailers: readonly [string, string][]): void {
    if (this.#tool === undefined) this.#plain.end(trailers);
  }

  refuse(refusal: Refusal): void {
    const tool = this.#tool;
    if (tool === undefined) return this.#plain.refuse(refusal);
    // Both sides were told why already, unless it ended before they talked.
    if (tool.readyState === tool.OPEN) tool.close(1011, refusal.reason);
    setTimeout(() => tool.terminate(), closingMs).unref();
  }
}

/** The WebSockets of one listener. */
export class Upgrades {
  readonly #open = new Set<UpgradeAnswer>();

  take(request: IncomingMessage, socket: Duplex, head: Buffer): UpgradeAnswer {
    const answer = new UpgradeAnswer(request, socket, head);
    this.#open.add(answer);
    socket.on("error", () => socket.destroy()).on("close", () => this.#open.delete(answer));
    return answer;
  }

  drain(): void {
    for (const answer of this.#open) answer.leave();
  }

  close(): void {
    for (const answer of this.#open) answer.terminate();
  }
}
