import { createHash } from "node:crypto";
import type { DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type Code as ConnectCode,
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { ErrorInfoSchema, Refusal, RetryInfoSchema, statusOf } from "@sallyport/contracts";
import type { Dispatcher, Incoming } from "../dispatch.ts";
import { cancelled, deadlinePassed, ended } from "../failure.ts";
import { maxMessageBytes } from "../grpc/limits.ts";
import type { Registry, Served } from "../registry.ts";
import { httpStatusOf } from "./edge-error.ts";

/** What this door knows of a request beside what the Connect library reads. */
export interface RpcRequest {
  readonly headers: ReadonlyMap<string, string>;
  readonly address: string;
  readonly body: Buffer;
  /** The message in it. */
  readonly message: Buffer;
  readonly url: string;
  readonly signal: AbortSignal;
  /** Aborts when draining begins; endless calls end then. */
  readonly draining: AbortSignal;
}

const requestKey = createContextKey<(RpcRequest & { refused?: Refusal }) | undefined>(undefined);

/** Serves Connect, its JSON, and gRPC-Web by the same handlers as gRPC. Loaded with the first such request. */
export function connectRpcs(
  registry: Registry,
  dispatcher: Dispatcher,
): (path: string, request: RpcRequest) => Promise<UniversalServerResponse> {
  // A misspelt field would silently be left out, and what is left out may mean more rights.
  const jsonOptions = { ignoreUnknownFields: false };
  const router = createConnectRouter({
    jsonOptions,
    grpc: false,
    acceptCompression: [],
    readMaxBytes: maxMessageBytes,
    maxTimeoutMs: 10 * 60_000,
  });
  for (const served of registry.values()) router.service(served.service, implementation(served, dispatcher));
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return async (path, request) => {
    const handler = handlers.get(path);
    if (handler === undefined) throw new Refusal("INVALID_REQUEST", "There is no such method; see the published contracts.");
    const values = { ...request };
    const response = await handler({
      httpVersion: "1.1",
      url: request.url,
      method: "POST",
      header: new Headers([...request.headers].filter(([name]) => !name.startsWith(":"))),
      body: once(request.body),
      signal: request.signal,
      contextValues: createContextValues().set(requestKey, values),
    } satisfies UniversalServerRequest);
    const refused = (values as { refused?: Refusal }).refused;
    // A Connect unary error carries its code in the body, so the status line is free to say what the reason table says.
    const unaryError = response.status !== 200 && refused !== undefined;
    return unaryError ? { ...response, status: httpStatusOf(refused.reason) } : response;
  };
}

function implementation({ service, ...served }: Served, dispatcher: Dispatcher): Record<string, never> {
  const whole = { service, ...served };
  const methods = service.methods.filter(isServedHere).map((method) => [
    method.localName,
    method.methodKind === "unary"
      ? async (input: Message, context: HandlerContext) => {
          const call = begin(whole, method, context);
          try {
            const answer = await dispatcher.once(whole, call.incoming, input);
            call.sendHeaders();
            return answer;
          } catch (error) {
            throw call.refuse(error as Refusal);
          } finally {
            call.end();
          }
        }
      : async function* (input: Message, context: HandlerContext) {
          const call = begin(whole, method, context);
          try {
            for await (const answer of dispatcher.many(whole, call.incoming, input)) {
              call.sendHeaders();
              yield answer;
            }
          } catch (error) {
            throw call.refuse(error as Refusal);
          } finally {
            call.end();
          }
        },
  ]);
  return Object.fromEntries(methods);
}

/** Streams from the client need gRPC: over HTTP/1.1 a browser cannot send them, and their proof could not be bounded. */
export const isServedHere = (method: DescMethod): boolean => method.methodKind === "unary" || method.methodKind === "server_streaming";

function begin(served: Served, method: DescMethod, context: HandlerContext) {
  const request = context.values.get(requestKey) as RpcRequest & { refused?: Refusal };
  const abort = new AbortController();
  const timeoutMs = context.timeoutMs();
  const onAbort = () => abort.abort((context.timeoutMs() ?? 1) <= 0 ? deadlinePassed() : cancelled());
  const onDraining = () => abort.abort(new Refusal("CANCELLED", "This replica is stopping; call again and another will answer."));
  if (context.signal.aborted) onAbort();
  context.signal.addEventListener("abort", onAbort);
  const endless = served.endless.has(method.localName);
  if (endless) request.draining.addEventListener("abort", onDraining);
  const headers = new Map<string, string>();
  const incoming: Incoming = {
    method,
    door: "edge",
    peer: { kind: "anonymous", address: request.address },
    signal: abort.signal,
    deadline: timeoutMs === undefined ? undefined : Date.now() + timeoutMs,
    metadata: request.headers,
    hash: () => createHash("sha256").update(request.message).digest(),
    setHeader: (name, value) => headers.set(name, value),
  };
  return {
    incoming,
    sendHeaders: () => {
      for (const [name, value] of headers) context.responseHeader.set(name, value);
    },
    refuse: (refusal: Refusal) => {
      request.refused = refusal;
      return connectErrorOf(refusal, headers);
    },
    end: () => {
      context.signal.removeEventListener("abort", onAbort);
      request.draining.removeEventListener("abort", onDraining);
      abort.abort(ended);
    },
  };
}

function connectErrorOf(refusal: Refusal, headers: ReadonlyMap<string, string>): ConnectError {
  const details: { desc: DescMessage; value: Message }[] = [];
  for (const detail of statusOf(refusal).details) {
    for (const desc of [ErrorInfoSchema, RetryInfoSchema]) {
      const value = anyUnpack(detail, desc as DescMessage);
      if (value !== undefined) details.push({ desc, value });
    }
  }
  return new ConnectError(
    refusal.message,
    refusal.code as number as ConnectCode,
    new Headers([...headers]),
    details as ConstructorParameters<typeof ConnectError>[3],
  );
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
