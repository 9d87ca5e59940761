import { createHash } from "node:crypto";
import { create, type DescMethod, type DescService, type Message, toBinary } from "@bufbuild/protobuf";
import type { CallOptions, Client } from "../client.ts";
import type { Dispatcher, Incoming } from "../dispatch.ts";
import { deadlinePassed, ended } from "../failure.ts";
import type { PeerIdentity, ServiceRole } from "../handler.ts";
import type { Registry } from "../registry.ts";
import { untilAborted } from "../until-aborted.ts";
import { unavailable } from "./unavailable.ts";

const defaultTimeoutMs = 10_000;

/**
 * A client of handlers in this process: the same admission, spans and refusals as over a socket, without one. The
 * service may register later; until then it does not answer.
 */
export function inProcessClient<S extends DescService>(
  service: S,
  at: { role: ServiceRole; self: PeerIdentity; registry: Registry; dispatcher: Dispatcher },
): Client<S> {
  const served = () => {
    const found = at.registry.get(service.typeName);
    if (found === undefined) throw unavailable(at.role);
    return found;
  };
  const once = async (method: DescMethod, input: unknown, options: CallOptions) => {
    const running = begin(at.self, method, input, options);
    const aborted = untilAborted(running.incoming.signal);
    try {
      return await aborted.wait(at.dispatcher.once(served(), running.incoming, running.input));
    } finally {
      aborted.release();
      running.end(options);
    }
  };
  async function* many(method: DescMethod, input: unknown, options: CallOptions): AsyncGenerator<Message> {
    const running = begin(at.self, method, input, options);
    try {
      yield* at.dispatcher.many(served(), running.incoming, running.input);
    } finally {
      running.end(options);
    }
  }
  const method = (desc: DescMethod) => {
    const run = desc.methodKind === "unary" || desc.methodKind === "client_streaming" ? once : many;
    return (input: unknown, options: CallOptions = {}) => run(desc, input, options);
  };
  return Object.fromEntries(service.methods.map((desc) => [desc.localName, method(desc)])) as Client<S>;
}

function begin(self: PeerIdentity, method: DescMethod, input: unknown, options: CallOptions) {
  const timeoutMs = options.timeoutMs ?? (method.methodKind === "unary" ? defaultTimeoutMs : undefined);
  const abort = new AbortController();
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => abort.abort(deadlinePassed()), timeoutMs);
  const onAbort = () => abort.abort(options.signal?.reason);
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const headers = new Map<string, string>();
  const message = isStream(input) ? messages(method, input) : create(method.input, input as Record<string, unknown>);
  const incoming: Incoming = {
    method,
    door: "in-process",
    peer: self,
    signal: abort.signal,
    deadline: timeoutMs === undefined ? undefined : Date.now() + timeoutMs,
    metadata: new Map(Object.entries(options.headers ?? {})),
    hash: () =>
      createHash("sha256")
        .update(isStream(message) ? new Uint8Array() : toBinary(method.input, message))
        .digest(),
    setHeader: (name, value) => headers.set(name, value),
  };
  return {
    incoming,
    input: message,
    end: ({ signal, onHeaders }: CallOptions) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      abort.abort(ended);
      if (headers.size > 0) onHeaders?.(headers);
    },
  };
}

const isStream = (input: unknown): input is AsyncIterable<Record<string, unknown>> =>
  typeof input === "object" && input !== null && Symbol.asyncIterator in input;

async function* messages(method: DescMethod, inits: AsyncIterable<Record<string, unknown>>): AsyncGenerator<Message> {
  for await (const init of inits) yield create(method.input, init);
}
