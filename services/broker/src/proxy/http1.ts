import { type IncomingMessage, type Server, type ServerOptions, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { Refusal } from "@sallyport/contracts";
import type { Host } from "@sallyport/service";
import { valuesOf } from "../targets/header-lines.ts";
import { refusalAnswer } from "./refusal-answer.ts";
import type { ToolAnswer, ToolRequest } from "./tool-request.ts";
import { untilDrained } from "./until-drained.ts";

/** Whether a request's parser stops for another protocol: for WebSocket only. Any other upgrade is an offer that is not taken (RFC 9110 §7.8). */
const isWebSocket = ({ method, headers }: IncomingMessage): boolean => method === "GET" && headers.upgrade?.toLowerCase() === "websocket";

/**
 * Limits of every HTTP/1.1 side: the strict parser refuses conflicting or repeated lengths, line folding, bare line feeds and
 * the like (RFC 9112 §6.3, §11.2) and closes the connection.
 */
export const http1Limits = {
  insecureHTTPParser: false,
  maxHeaderSize: 32 * 1024,
  headersTimeout: 10_000,
  // Bodies have limits of their own: a long upload is fine as long as it moves.
  requestTimeout: 0,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 2_000,
  // Said by requestOf, with a reason.
  requireHostHeader: false,
  joinDuplicateHeaders: false,
  noDelay: true,
  shouldUpgradeCallback: isWebSocket,
} satisfies ServerOptions;

/** Every server of requests: what the parser refuses is answered once, and nothing after it is read. */
export function closingOnError(server: Server): Server {
  server.maxHeadersCount = 100;
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
    const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
    const refusal = new Refusal(
      "INVALID_REQUEST",
      late
        ? "The request's head took too long to arrive."
        : error.code === "HPE_HEADER_OVERFLOW"
          ? "The request's head is longer than 32 KiB."
          : "This is not well-formed HTTP/1.1; nothing of it was passed on.",
    );
    socket.end(rawAnswer(refusal), () => socket.destroy());
  });
  return server;
}

/**
 * The turns of requests that come one behind the other on a connection: each is served once the answer before it has ended, so that
 * none overtakes an effect that it may build on (RFC 9112 §9.3.2).
 */
export class Turns {
  readonly #last = new WeakMap<object, ServerResponse>();

  /** @returns false where the connection has ended meanwhile */
  async wait({ socket }: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const before = this.#last.get(socket);
    this.#last.set(socket, response);
    if (before !== undefined && !before.closed) await new Promise((resolve) => before.once("close", resolve));
    return !socket.destroyed;
  }
}

/**
 * A handler of what comes on connections of tools: whatever it throws, or rejects with, ends that connection, and never the process,
 * which serves all the others.
 */
export function endingOnError<A extends unknown[]>(
  log: Pick<Host["log"], "error">,
  handle: (request: IncomingMessage, ...rest: A) => unknown,
): (request: IncomingMessage, ...rest: A) => void {
  return async (request, ...rest) => {
    try {
      await handle(request, ...rest);
    } catch (error) {
      log.error({ err: error }, "a tool's connection failed and was ended");
      request.socket.destroy();
    }
  };
}

/** A refusal on a bare connection, which ends with it. */
export function rawAnswer(refusal: Refusal): string {
  const { status, headers, body } = refusalAnswer(refusal);
  const lines = [...headers, ["connection", "close"]].map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${lines.join("")}\r\n${body}`;
}

/** The tool's request without where it goes, which depends on the door. @throws Refusal INVALID_REQUEST */
export function requestOf(
  request: IncomingMessage,
  response: ServerResponse,
  awaitsContinue: boolean,
): Omit<ToolRequest, "destination" | "sent"> {
  const gone = new AbortController();
  response.on("close", () => {
    if (!response.writableFinished) gone.abort(new Refusal("CANCELLED", "The tool gave its request up."));
  });
  const headers = headersOf(request.rawHeaders);
  if (!/^1\.[01]$/.test(request.httpVersion))
    throw new Refusal("INVALID_REQUEST", "This is HTTP/1.1, and the request says another version.");
  if (valuesOf(headers, "host").length === 0 && request.httpVersion === "1.1")
    throw new Refusal("INVALID_REQUEST", "A request of HTTP/1.1 has a Host header (RFC 9112 §3.2).");
  const codings = valuesOf(headers, "transfer-encoding");
  // The parser takes any list that ends in chunked, and unpacks nothing but that.
  if (codings.length > 1 || (codings[0] !== undefined && (codings[0].toLowerCase() !== "chunked" || request.httpVersion === "1.0")))
    throw new Refusal("INVALID_REQUEST", "The one transfer-encoding that is taken is chunked, in HTTP/1.1.");
  const length = request.headers["content-length"];
  return {
    method: request.method ?? "",
    headers,
    hasBody: request.headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0"),
    declaredLength: length === undefined ? undefined : Number(length),
    body: request,
    signal: gone.signal,
    wantBody: () => {
      if (awaitsContinue) response.writeContinue();
    },
  };
}

/** Name, value, name, value, … as node:http received them; its `headers` would already have dropped repetitions. */
export function headersOf(raw: readonly string[]): [string, string][] {
  const headers: [string, string][] = [];
  for (let at = 0; at < raw.length; at += 2) headers.push([(raw[at] as string).toLowerCase(), raw[at + 1] as string]);
  return headers;
}

export class Http1Answer implements ToolAnswer {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #begun = false;

  /** @param closing whether the connection ends with this answer */
  constructor(request: IncomingMessage, response: ServerResponse, closing: boolean) {
    this.#request = request;
    this.#response = response;
    if (closing) response.shouldKeepAlive = false;
  }

  head(status: number, headers: readonly [string, string][]): void {
    this.#closeUnlessRead();
    // Whatever the target says of its time is passed on; none is made up.
    this.#response.sendDate = false;
    this.#response.writeHead(status, headers.flat());
    // With the beginning of the body in one piece where that has come already, and without waiting for it where it has not.
    setImmediate(() => {
      if (!this.#begun && !this.#response.destroyed) this.#response.flushHeaders();
    });
  }

  async data(bytes: Uint8Array): Promise<void> {
    this.#begun = true;
    if (!this.#response.write(bytes)) await untilDrained(this.#response);
  }

  end(trailers: readonly [string, string][]): void {
    this.#begun = true;
    if (trailers.length > 0) this.#response.addTrailers(trailers);
    this.#response.end();
  }

  refuse(refusal: Refusal): void {
    if (this.#response.headersSent) return void this.#response.destroy();
    this.#closeUnlessRead();
    // Whoever means something else by these bytes than we do may do so with the next ones too.
    if (refusal.reason === "INVALID_REQUEST") this.#response.shouldKeepAlive = false;
    const { status, headers, body } = refusalAnswer(refusal);
    this.#response.writeHead(status, headers.flat()).end(body);
  }

  /** Unread bytes of a body would be taken for the next request. */
  #closeUnlessRead(): void {
    if (!this.#request.complete) this.#response.shouldKeepAlive = false;
  }
}
