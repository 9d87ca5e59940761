import { createServer, type IncomingMessage, type Server } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import { context } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import type { Caller, Clock, Host } from "@sallyport/service";
import type { CallerGate } from "../rpc/recording-gate.ts";
import type { UseParts } from "../use/parts.ts";
import { isSame, type Origin, parseAuthority } from "./authority.ts";
import type { Leaves } from "./certificates/leaves.ts";
import { blocked, type Destinations } from "./destinations.ts";
import type { Exchanges } from "./exchange.ts";
import { headersOf, http1Limits, rawAnswer } from "./http1.ts";
import { Http1Requests, type Turn } from "./http1-requests.ts";
import { disagreement, serveHttp2 } from "./http2.ts";
import type { Passing } from "./passing.ts";
import type { Places } from "./places.ts";
import { callOf, type ProvenConnection } from "./proven-connection.ts";
import { recordRefused } from "./records.ts";
import { refusalOf } from "./refusal-answer.ts";
import { sentTo } from "./request-target.ts";
import { once } from "./tool-headers.ts";
import type { ToolAnswer, ToolRequest } from "./tool-request.ts";

/** Milliseconds from a tunnel's begin until the TLS in it stands. */
const handshakeMs = 10_000;

export interface TunnelParts {
  readonly gate: CallerGate;
  readonly clock: Clock;
  readonly destinations: Destinations;
  readonly leaves: Leaves;
  readonly exchanges: Pick<Exchanges, "serve">;
  readonly passing: Passing;
  readonly places: Places;
  readonly evidence: UseParts["evidence"];
  readonly log: Host["log"];
}

/** What an inner connection is for. */
interface Inner {
  readonly origin: Origin;
  readonly connection: ProvenConnection;
  /** Ends with the credential that opened it; whoever goes on opens another one. */
  closing: boolean;
}

/**
 * `CONNECT`: to a target the proxy is the other end itself and reads what comes, in TLS with a certificate of the installation's
 * own CA where the target has TLS; to a destination that configuration passes it moves bytes unread; anywhere else it refuses.
 */
export class Tunnels {
  readonly #parts: TunnelParts;
  readonly #inner = new WeakMap<object, Inner>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #open = new Set<Socket>();
  readonly #http1: Server;
  readonly #requests: Http1Requests;
  #draining = false;

  constructor(parts: TunnelParts) {
    this.#parts = parts;
    this.#http1 = createServer(http1Limits);
    this.#requests = new Http1Requests(this.#http1, {
      closing: (socket) => this.#draining || this.#inner.get(socket)?.closing === true,
      serve: (turn) => this.#serveHttp1(turn),
      log: parts.log,
    });
    // It never listens itself, and looks after its connections' time limits from this event on.
    this.#http1.emit("listening");
  }

  /** Takes over a connection on which `CONNECT` came. Never throws. */
  async accept(request: IncomingMessage, socket: Socket, head: Buffer, connection: ProvenConnection): Promise<void> {
    const gone = new AbortController();
    socket.on("error", () => socket.destroy()).on("close", () => gone.abort(new Refusal("CANCELLED", "The tool closed the tunnel.")));
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket));
    const call = callOf(connection, gone.signal, context.active());
    let caller: Caller | undefined;
    let origin: Origin | undefined;
    let [begun, passed] = [false, false];
    const begin = () => {
      begun = true;
      socket.write(established);
    };
    try {
      caller = await this.#parts.gate.authenticate(call);
      if (this.#draining)
        throw new Refusal("CANCELLED", "This replica is stopping; connect again and another will answer.", { retryAfterMs: 200 });
      const place = this.#parts.places.take(caller);
      socket.on("close", () => place[Symbol.dispose]());
      origin = originOf(request);
      if (head.length > 0) socket.unshift(head);
      if (!this.#isTarget(origin) && this.#parts.destinations.passes(origin)) {
        // What becomes of it is on record as its outcome.
        passed = true;
        await this.#parts.passing.tunnel(origin, caller, call, socket, begin);
      } else await this.#lead(origin, caller, socket, connection, begin);
    } catch (error) {
      const refusal = refusalOf(error, this.#parts.log);
      if (caller !== undefined && !passed) await recordRefused(this.#parts.evidence, caller, call, refusal, origin).catch(() => undefined);
      // In a tunnel that stands an answer of ours would be taken for the destination's.
      if (begun) socket.destroy();
      else if (!socket.destroyed) socket.end(rawAnswer(refusal), () => socket.destroy());
    }
  }

  #isTarget(origin: Origin): boolean {
    return this.#parts.destinations.isTarget(origin) || this.#parts.destinations.isTarget({ ...origin, scheme: "http" });
  }

  async #lead(origin: Origin, caller: Caller, socket: Socket, connection: ProvenConnection, begin: () => void): Promise<void> {
    const { destinations } = this.#parts;
    const plain: Origin = { ...origin, scheme: "http" };
    const [secure, bare] = [destinations.isTarget(origin), destinations.isTarget(plain)];
    if (!secure && !bare) throw blocked(origin);
    begin();
    const late = setTimeout(() => socket.destroy(), handshakeMs);
    try {
      // A record that begins a TLS connection (RFC 8446 §5.1), or else plain HTTP.
      const tls = (await firstByte(socket)) === 0x16;
      if (tls ? !secure : !bare) throw disagreement();
      const inner: Inner = { origin: tls ? origin : plain, connection, closing: false };
      this.#endWith(caller, inner, socket);
      if (tls) await this.#intercept(socket, inner);
      else this.#serveOn(socket, inner);
    } finally {
      clearTimeout(late);
    }
  }

  /** The other end of the tool's TLS: the server name, where it is sent, is the host of the tunnel. */
  async #intercept(socket: Socket, inner: Inner): Promise<void> {
    const { host } = inner.origin;
    const secureContext = await this.#parts.leaves.contextFor(host);
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext,
      ALPNProtocols: ["h2", "http/1.1"],
      SNICallback: (name: string, answer: (error: Error | null, context?: SecureContext) => void) =>
        name.toLowerCase() === host ? answer(null, secureContext) : answer(disagreement()),
    });
    secure.on("error", () => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      secure.once("close", () => reject(disagreement()));
      // At once: what has come behind the handshake would be read by nobody.
      secure.once("secure", () => {
        try {
          secure.setNoDelay(true);
          // As a tls.Server does at this point; HTTP/2 waits for it.
          Object.assign(secure, { secureConnecting: false });
          if (secure.alpnProtocol === "h2") this.#serveHttp2(secure, inner);
          else this.#serveOn(secure, inner);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #serveOn(socket: Socket, inner: Inner): void {
    this.#inner.set(socket, inner);
    this.#http1.emit("connection", socket);
  }

  #serveHttp2(socket: TLSSocket, inner: Inner): void {
    const serve = (request: ToolRequest, answer: ToolAnswer) => this.#parts.exchanges.serve(request, inner.connection, answer);
    const session = serveHttp2(socket, inner.origin, serve, this.#parts.log);
    this.#sessions.add(session);
    session.on("close", () => this.#sessions.delete(session));
    this.#inner.set(socket, inner);
    if (inner.closing || this.#draining) session.close();
    else Object.defineProperty(inner, "closing", { set: () => session.close(), get: () => session.closed });
  }

  async #serveHttp1({ request, answer, ...turn }: Turn): Promise<void> {
    const inner = this.#inner.get(request.socket);
    if (inner === undefined) return void request.socket.destroy();
    const { origin, connection } = inner;
    const parsed = turn.parsed();
    const sent = sentTo(origin, request.url ?? "", parsed.headers);
    await this.#parts.exchanges.serve({ ...parsed, destination: { kind: "origin", origin }, sent }, connection, answer);
  }

  /** A credential that ended proves nothing any more: idle connections are closed then, and others after their answer. */
  #endWith(caller: Caller, inner: Inner, socket: Socket): void {
    const timer = setTimeout(
      () => {
        inner.closing = true;
        this.#http1.closeIdleConnections();
      },
      Math.max(0, caller.credential.expiresAt * 1000 - this.#parts.clock.now()),
    );
    timer.unref();
    socket.on("close", () => clearTimeout(timer));
  }

  /** Resolves when every tunnel has ended; those that wait for a next request are ended now. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#http1.closeIdleConnections();
    this.#requests.drain();
    for (const session of this.#sessions) session.close();
    await Promise.all([...this.#open].map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve()))));
  }

  close(): void {
    this.#http1.closeAllConnections();
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#open) socket.destroy();
  }
}

const established = "HTTP/1.1 200 Connection established\r\n\r\n";

/** The destination of a `CONNECT` (RFC 9110 §9.3.6): with a port, without a body, and the same in `Host`. @throws Refusal INVALID_REQUEST */
function originOf(request: IncomingMessage): Origin {
  const headers = headersOf(request.rawHeaders);
  const text = request.url ?? "";
  const origin = /:\d+$/.test(text) ? parseAuthority(text, "https") : undefined;
  if (origin === undefined || request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined)
    throw new Refusal("INVALID_REQUEST", "CONNECT names host:port, and has no body.");
  const host = once(headers, "host");
  const named = host === undefined ? origin : parseAuthority(host, "https");
  // Without a port it means the default one, which few tools mean here.
  const same =
    named !== undefined && (isSame(named, origin) || (host === undefined ? true : named.host === origin.host && !/:\d+$/.test(host)));
  if (!same) throw disagreement();
  return origin;
}

async function firstByte(socket: Socket): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const look = () => {
    const piece: Buffer | null = socket.read();
    if (piece === null) return;
    socket.off("readable", look).off("close", ended).off("end", ended);
    socket.unshift(piece);
    resolve(piece[0] as number);
  };
  const ended = () => reject(new Refusal("CANCELLED", "The tool closed the tunnel before it sent anything."));
  socket.on("readable", look).on("close", ended).on("end", ended);
  look();
  return promise;
}
