import { createHash } from "node:crypto";
import type { EventEmitter } from "node:events";
import type { DescMethod, Message } from "@bufbuild/protobuf";
import type {
  Metadata,
  MethodDefinition,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedHandleCall,
} from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { Dispatcher, Incoming } from "../dispatch.ts";
import { cancelled, deadlinePassed, draining, ended, refusalOf } from "../failure.ts";
import type { Door, PeerIdentity } from "../handler.ts";
import type { Served } from "../registry.ts";
import { headersOf, metadataOf } from "./headers.ts";
import { asBytes, decode, encode, ownBytes } from "./message-bytes.ts";
import { errorFor, statusFor } from "./status.ts";
import { writeAll } from "./write-all.ts";

type Unary = ServerUnaryCall<Buffer, Buffer>;
type Writable = ServerWritableStream<Buffer, Buffer>;
type Readable = ServerReadableStream<Buffer, Buffer>;
type Duplex = ServerDuplexStream<Buffer, Buffer>;
type AnyCall = Unary | Writable | Readable | Duplex;

/** What a door adds to the calls that come through it. */
export interface ServerSide {
  readonly door: Door;
  readonly dispatcher: Dispatcher;
  readonly log: Logger;
  identify(call: AnyCall): PeerIdentity;
  /** Aborts when draining begins. */
  readonly draining: AbortSignal;
}

export const methodDefinition = (method: DescMethod): MethodDefinition<Buffer, Buffer> => ({
  path: `/${method.parent.typeName}/${method.name}`,
  requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
  responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
  requestSerialize: asBytes,
  // A streaming answer keeps its request for as long as it goes on.
  requestDeserialize: method.methodKind === "server_streaming" ? ownBytes : asBytes,
  responseSerialize: asBytes,
  responseDeserialize: asBytes,
});

/** A method's handler in the form that grpc-js calls. */
export function serverMethod(side: ServerSide, served: Served, method: DescMethod): UntypedHandleCall {
  const once = async (call: Unary | Readable, input: () => Promise<Received>, callback: sendUnaryData<Buffer>) => {
    const started = begin(side, served, method, call);
    try {
      const received = await input();
      const message = await side.dispatcher.once(served, started.incoming(received.first), received.input);
      started.sendHeaders();
      callback(null, encode(method.output, message));
    } catch (error) {
      started.sendHeaders();
      callback(statusFor(refusalOf(error, side.log, method.name)));
    } finally {
      started.end();
    }
  };
  const many = async (call: Writable | Duplex, input: () => Promise<Received>) => {
    const started = begin(side, served, method, call);
    try {
      const received = await input();
      const messages = side.dispatcher.many(served, started.incoming(received.first), received.input);
      await writeAll(call, messages, (message) => {
        started.sendHeaders();
        return encode(method.output, message);
      });
      started.sendHeaders();
      call.end();
    } catch (error) {
      started.sendHeaders();
      call.emit("error", errorFor(refusalOf(error, side.log, method.name)));
    } finally {
      started.end();
    }
  };
  switch (method.methodKind) {
    case "unary":
      return (call: Unary, callback: sendUnaryData<Buffer>) => void once(call, () => single(method, call.request), callback);
    case "server_streaming":
      return (call: Writable) => void many(call, () => single(method, call.request));
    case "client_streaming":
      return (call: Readable, callback: sendUnaryData<Buffer>) => void once(call, () => stream(method, call), callback);
    default:
      return (call: Duplex) => void many(call, () => stream(method, call));
  }
}

interface Received {
  readonly first: Uint8Array;
  readonly input: Message | AsyncIterable<Message>;
}

const single = async (method: DescMethod, bytes: Buffer): Promise<Received> => ({ first: bytes, input: decode(method.input, bytes) });

/** The proof covers a stream's first message, so that one is read before the handler is asked. */
async function stream(method: DescMethod, call: Readable | Duplex): Promise<Received> {
  // Reading to the end must not destroy the stream: the answer is still to be written to it.
  const chunks: AsyncIterator<Buffer> = call.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
  const first = await chunks.next();
  async function* messages(): AsyncGenerator<Message> {
    for (let next = first; !next.done; next = await chunks.next()) yield decode(method.input, next.value);
  }
  return { first: first.done ? new Uint8Array() : first.value, input: messages() };
}

/** Everything of a call but its messages. */
function begin(side: ServerSide, served: Served, method: DescMethod, call: AnyCall) {
  const abort = new AbortController();
  const headers = new Map<string, string>();
  let headersSent = false;
  const deadline = call.getDeadline();
  const deadlineMs = deadline === Number.POSITIVE_INFINITY ? undefined : Number(deadline);
  // grpc-js answers a passed deadline itself and then reports a cancelled call; the handler is told which it was.
  const onCancelled = () => abort.abort(deadlineMs !== undefined && Date.now() >= deadlineMs ? deadlinePassed() : cancelled());
  const onDraining = () => abort.abort(draining());
  const events: EventEmitter = call;
  events.on("cancelled", onCancelled);
  if (call.cancelled) onCancelled();
  const endless = served.endless.has(method.localName);
  if (endless) side.draining.addEventListener("abort", onDraining);
  if (endless && side.draining.aborted) onDraining();
  return {
    incoming: (first: Uint8Array): Incoming => ({
      method,
      door: side.door,
      peer: side.identify(call),
      signal: abort.signal,
      deadline: deadlineMs,
      metadata: headersOf(call.metadata as Metadata),
      hash: () => createHash("sha256").update(first).digest(),
      setHeader: (name, value) => headers.set(name, value),
    }),
    sendHeaders: () => {
      if (headersSent || headers.size === 0 || call.cancelled) return;
      headersSent = true;
      call.sendMetadata(metadataOf(headers));
    },
    end: () => {
      events.removeListener("cancelled", onCancelled);
      side.draining.removeEventListener("abort", onDraining);
      abort.abort(ended);
    },
  };
}
