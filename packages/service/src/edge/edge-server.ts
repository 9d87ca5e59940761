import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { DescService } from "@bufbuild/protobuf";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { Refusal } from "@sallyport/contracts";
import type { Logger } from "pino";
import type { Address } from "../config/index.ts";
import type { Dispatcher } from "../dispatch.ts";
import { cancelled, refusalOf } from "../failure.ts";
import type { Handlers } from "../handler.ts";
import type { EdgeListener, ServeOptions } from "../host.ts";
import { listenAt } from "../process/listen-at.ts";
import { Registry } from "../registry.ts";
import type { RpcRequest } from "./connect-rpcs.ts";
import { edgeError } from "./edge-error.ts";
import type { EdgeRequest, EdgeResponse } from "./edge-route.ts";
import { drain, readBody } from "./read-body.ts";
import { requestHeaders } from "./request-headers.ts";
import { rpcMessage } from "./rpc-body.ts";

export interface EdgeDoor {
  readonly address: Address;
  readonly setting: string;
  readonly dispatcher: Dispatcher;
  readonly log: Logger;
}

type Route = (request: EdgeRequest) => Promise<EdgeResponse>;

/** The HTTP door: plain routes, and RPCs by Connect, JSON and gRPC-Web. */
export class EdgeServer implements EdgeListener {
  readonly registry = new Registry();
  readonly #door: EdgeDoor;
  readonly #routes = new Map<string, Route>();
  readonly #draining = new AbortController();
  #rpcs: ((path: string, request: RpcRequest) => Promise<UniversalServerResponse>) | undefined;
  #server: Server | undefined;

  constructor(door: EdgeDoor) {
    this.#door = door;
  }

  serve<S extends DescService>(service: S, handlers: Handlers<S>, options: ServeOptions<S> = {}): this {
    this.registry.add(service, handlers, options);
    return this;
  }

  route(method: "GET" | "POST", path: string, handler: Route): this {
    const key = `${method} ${path}`;
    if (this.#routes.has(key)) throw new Error(`${key} is already served at this door`);
    this.#routes.set(key, handler);
    return this;
  }

  get used(): boolean {
    return this.registry.size > 0 || this.#routes.size > 0;
  }

  /** @throws StartError */
  async open(): Promise<Address> {
    const { address, setting } = this.#door;
    const server = createServer({ maxHeaderSize: 32 * 1024, headersTimeout: 10_000, requestTimeout: 30_000 }, (request, response) => {
      void this.#answer(request, response);
    });
    const bound = await listenAt(server, address, setting);
    this.#server = server;
    return bound;
  }

  async drain(): Promise<void> {
    this.#draining.abort();
    const server = this.#server;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  }

  close(): void {
    this.#server?.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on("close", () => gone.abort(cancelled()));
    try {
      const url = new URL(request.url ?? "/", "http://edge");
      const headers = requestHeaders(request.rawHeaders);
      if (this.#draining.signal.aborted) response.setHeader("connection", "close");
      const route = this.#routes.get(`${request.method} ${url.pathname}`);
      const answer =
        route === undefined
          ? await this.#rpc(request, headers, url, gone.signal)
          : await this.#plain(route, request, headers, url, gone.signal);
      await send(response, answer);
    } catch (error) {
      const refusal = refusalOf(error, this.#door.log, `${request.method} edge`);
      // Unread bytes of a refused body would be taken for the next request.
      if (!request.complete) response.setHeader("connection", "close");
      await drain(request);
      await send(response, edgeError(refusal)).catch(() => response.destroy());
    }
  }

  async #plain(route: Route, request: IncomingMessage, headers: Map<string, string>, url: URL, signal: AbortSignal): Promise<EdgeResponse> {
    const body = await readBody(request, headers);
    const method = request.method as "GET" | "POST";
    return route({ method, path: url.pathname, query: url.searchParams, headers, body, address: addressOf(request), signal });
  }

  async #rpc(
    request: IncomingMessage,
    headers: Map<string, string>,
    url: URL,
    signal: AbortSignal,
  ): Promise<EdgeResponse | UniversalServerResponse> {
    const [, typeName = "", methodName = ""] = url.pathname.split("/");
    const method = this.registry.get(typeName)?.service.methods.find(({ name }) => name === methodName);
    if (method === undefined) return notFound;
    if (request.method !== "POST")
      return { ...edgeError(new Refusal("INVALID_REQUEST", "RPCs are called by POST.")), status: 405, headers: { allow: "POST" } };
    if (method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming") {
      throw new Refusal("INVALID_REQUEST", `${method.name} streams requests; call it over gRPC.`);
    }
    const body = await readBody(request, headers);
    const message = rpcMessage(method, headers.get("content-type"), body);
    const { connectRpcs } = await import("./connect-rpcs.ts");
    this.#rpcs ??= connectRpcs(this.registry, this.#door.dispatcher);
    const address = addressOf(request);
    return this.#rpcs(url.pathname, { headers, address, body, message, url: url.href, signal, draining: this.#draining.signal });
  }
}

const notFound: EdgeResponse = { ...edgeError(new Refusal("INVALID_REQUEST", "There is nothing at this address.")), status: 404 };

const addressOf = ({ socket }: IncomingMessage) => `${socket.remoteAddress}:${socket.remotePort}`;

async function send(response: ServerResponse, answer: EdgeResponse | UniversalServerResponse): Promise<void> {
  if (response.headersSent || response.destroyed) throw new Error("the answer has begun already, or nobody waits for it");
  response.setHeader("cache-control", "no-store");
  response.setHeader("x-content-type-options", "nosniff");
  if (isUniversal(answer)) {
    const { universalResponseToNodeResponse } = await import("@connectrpc/connect-node");
    return universalResponseToNodeResponse(answer, response);
  }
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  response.writeHead(answer.status).end(answer.body);
}

/** An answer of the Connect library's, as against one of a plain route's. */
const isUniversal = (answer: EdgeResponse | UniversalServerResponse): answer is UniversalServerResponse =>
  "header" in answer && answer.header instanceof Headers;
