import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { context } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import { type Address, type Host, type KeyPair, listenAt, type OwnDoor } from "@sallyport/service";
import type { CallerGate } from "../rpc/recording-gate.ts";
import type { UseParts } from "../use/parts.ts";
import type { Origin } from "./authority.ts";
import { blocked, type Destinations } from "./destinations.ts";
import type { Exchanges } from "./exchange.ts";
import { endingOnError, headersOf, http1Limits, rawAnswer } from "./http1.ts";
import { Http1Requests, type Turn } from "./http1-requests.ts";
import type { Passing } from "./passing.ts";
import type { Places } from "./places.ts";
import { callOf, type ProvenConnection, peerOf } from "./proven-connection.ts";
import { recordRefused } from "./records.ts";
import { absoluteForm, sentTo } from "./request-target.ts";
import { once } from "./tool-headers.ts";
import type { ToolRequest } from "./tool-request.ts";
import type { Tunnels } from "./tunnels.ts";

/** Where whoever runs a tool asks what the tool must be told. */
export const aboutPath = "/.well-known/sallyport-proxy";

export interface DoorParts {
  readonly gate: CallerGate;
  readonly tls: KeyPair;
  /** PEM of the CA for agents' client certificates. */
  readonly agentsCa: Buffer;
  /** PEM of the CA for targets' hosts. */
  readonly targetsCa: string;
  readonly destinations: Destinations;
  readonly exchanges: Pick<Exchanges, "serve">;
  readonly tunnels: Tunnels;
  readonly passing: Passing;
  readonly places: Places;
  readonly evidence: UseParts["evidence"];
  readonly log: Host["log"];
}

/**
 * The forward proxy and the reverse path: HTTP/1.1 in TLS, for holders of a credential that is bound to their client certificate.
 * Whoever runs a tool (`sallyport run`) opens these connections and adds the credential; the tool itself has neither.
 */
export class ProxyDoor implements OwnDoor {
  readonly #parts: DoorParts;
  readonly #server: Server;
  readonly #requests: Http1Requests;
  #draining = false;

  constructor(parts: DoorParts) {
    this.#parts = parts;
    const { tls, agentsCa } = parts;
    this.#server = createServer({
      ...http1Limits,
      key: tls.key,
      cert: tls.certificate,
      ca: agentsCa,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: 10_000,
    });
    this.#requests = new Http1Requests(this.#server as unknown as ConstructorParameters<typeof Http1Requests>[0], {
      closing: () => this.#draining,
      serve: (turn) => this.#serve(turn),
      log: parts.log,
    });
    const connect = endingOnError(parts.log, (request, socket: Socket, head: Buffer) => {
      const connection = this.#provenOrEnded(request, socket);
      return connection === undefined ? undefined : parts.tunnels.accept(request, socket, head, connection);
    });
    this.#server.on("connect", connect);
  }

  open(address: Address, setting: string): Promise<Address> {
    return listenAt(this.#server, address, setting);
  }

  async drain(): Promise<void> {
    this.#draining = true;
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    this.#requests.drain();
    await Promise.all([closed, this.#parts.tunnels.drain()]);
  }

  close(): void {
    this.#parts.tunnels.close();
    this.#requests.close();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #provenOrEnded(request: IncomingMessage, socket: Socket): ProvenConnection | undefined {
    try {
      return provenBy(request);
    } catch (error) {
      socket.on("error", () => undefined).end(rawAnswer(error as Refusal));
      return undefined;
    }
  }

  async #serve(turn: Turn): Promise<void> {
    const { request, response, answer } = turn;
    const connection = provenBy(request);
    const target = request.url ?? "";
    if (target === aboutPath) return this.#about(connection, request, response);
    const parsed = turn.parsed();
    if (target.startsWith("/"))
      return this.#parts.exchanges.serve({ ...parsed, destination: { kind: "reverse" }, sent: target }, connection, answer);
    const absolute = absoluteForm(target);
    if (absolute === undefined) throw new Refusal("INVALID_REQUEST", "The request's URL is neither a path nor one of http or https.");
    const { origin } = absolute;
    const sent = sentTo(origin, target, parsed.headers);
    if (this.#parts.destinations.isTarget(origin))
      return this.#parts.exchanges.serve({ ...parsed, destination: { kind: "origin", origin }, sent }, connection, answer);
    if (parsed.upgrade !== undefined) throw passedByTunnel();
    await this.#elsewhere(connection, turn, origin, { ...parsed, sent });
  }

  async #elsewhere(
    connection: ProvenConnection,
    { request, response }: Turn,
    origin: Origin,
    { signal, sent, wantBody }: Pick<ToolRequest, "signal" | "sent" | "wantBody">,
  ): Promise<void> {
    const call = callOf(connection, signal, context.active());
    const caller = await this.#parts.gate.authenticate(call);
    using _place = this.#parts.places.take(caller);
    if (origin.scheme === "https" || !this.#parts.destinations.passes(origin)) {
      await recordRefused(this.#parts.evidence, caller, call, blocked(origin), origin);
      throw blocked(origin);
    }
    wantBody();
    await this.#parts.passing.request(origin, sent, caller, call, request, response);
  }

  async #about(connection: ProvenConnection, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "GET") throw new Refusal("INVALID_REQUEST", "This is read by GET.");
    await this.#parts.gate.authenticate(callOf(connection, AbortSignal.timeout(10_000), context.active()));
    const body = JSON.stringify({ ca: this.#parts.targetsCa, hosts: this.#parts.destinations.targetHosts });
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" }).end(body);
  }
}

const passedByTunnel = () =>
  new Refusal("DESTINATION_NOT_ALLOWED", "A WebSocket to what is no target goes by CONNECT, where the configuration passes it.", {
    metadata: { effect: "none" },
  });

/** @throws Refusal PROOF_REQUIRED, INVALID_REQUEST */
const provenBy = (request: IncomingMessage): ProvenConnection => ({
  peer: peerOf(request.socket as TLSSocket),
  authorization: once(headersOf(request.rawHeaders), "proxy-authorization") ?? "",
});
