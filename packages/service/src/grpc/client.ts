import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { type ChannelCredentials, Client as GrpcClient, type CallOptions as GrpcOptions, type ServiceError } from "@grpc/grpc-js";
import type { Refusal } from "@sallyport/contracts";
import type { CallOptions, Client } from "../client.ts";
import { cancelled, deadlinePassed, reasonOf } from "../failure.ts";
import type { Observation, RpcObserver } from "../telemetry/rpc-observer.ts";
import { headersOf, metadataOf } from "./headers.ts";
import { channelOptions } from "./limits.ts";
import { asBytes, decode, encode } from "./message-bytes.ts";
import { isOurs, refusalOfError } from "./status.ts";
import { type MessageSink, writeAll } from "./write-all.ts";

const defaultTimeoutMs = 10_000;

export interface ChannelSettings {
  readonly credentials: ChannelCredentials;
  readonly observer?: RpcObserver | undefined;
  /** What an error is that no handler sent: the way there failed. Left out: decided by the gRPC code. */
  readonly unreachable?: (error: ServiceError) => Refusal;
  readonly options?: Record<string, string | number>;
}

/** A connection to one address, shared by the clients of all services there. Connects with the first call. */
export class GrpcChannel {
  readonly #client: GrpcClient;
  readonly #settings: ChannelSettings;

  /** @param address `host:port` or `dns:///host:port` */
  constructor(address: string, settings: ChannelSettings) {
    this.#settings = settings;
    this.#client = new GrpcClient(address, settings.credentials, { ...channelOptions, ...settings.options });
  }

  client<S extends DescService>(service: S): Client<S> {
    const methods = service.methods.map((method) => [method.localName, this.#method(method)]);
    return Object.fromEntries(methods) as Client<S>;
  }

  close(): void {
    this.#client.close();
  }

  #method(method: DescMethod) {
    const answersOnce = method.methodKind === "unary" || method.methodKind === "client_streaming";
    return answersOnce
      ? (input: unknown, options: CallOptions = {}) => this.#once(method, input, options)
      : (input: unknown, options: CallOptions = {}) => this.#many(method, input, options);
  }

  async #once(method: DescMethod, input: unknown, options: CallOptions): Promise<Message> {
    const observation = this.#settings.observer?.calling(method);
    const [path, metadata, grpcOptions] = outgoing(method, options, observation);
    try {
      options.signal?.throwIfAborted();
      const bytes = await new Promise<Buffer>((resolve, reject) => {
        const done = (error: ServiceError | null, value?: Buffer) => (error === null ? resolve(value as Buffer) : reject(error));
        const call =
          method.methodKind === "unary"
            ? this.#client.makeUnaryRequest(path, asBytes, asBytes, encodeInit(method, input), metadata, grpcOptions, done)
            : this.#client.makeClientStreamRequest(path, asBytes, asBytes, metadata, grpcOptions, done);
        call.on("metadata", (received) => options.onHeaders?.(headersOf(received)));
        const onAbort = () => call.cancel();
        options.signal?.addEventListener("abort", onAbort, { once: true });
        call.on("status", () => options.signal?.removeEventListener("abort", onAbort));
        if ("write" in call) pump(call as unknown as Upload, method, input, reject);
      });
      observation?.end();
      return decode(method.output, bytes);
    } catch (error) {
      const refusal = this.#refusal(error, options);
      observation?.end(refusal);
      throw refusal;
    }
  }

  async *#many(method: DescMethod, input: unknown, options: CallOptions): AsyncGenerator<Message, void> {
    const observation = this.#settings.observer?.calling(method);
    const [path, metadata, grpcOptions] = outgoing(method, options, observation);
    let refusal: Refusal | undefined;
    let cancel = () => {};
    try {
      options.signal?.throwIfAborted();
      const call =
        method.methodKind === "server_streaming"
          ? this.#client.makeServerStreamRequest(path, asBytes, asBytes, encodeInit(method, input), metadata, grpcOptions)
          : this.#client.makeBidiStreamRequest(path, asBytes, asBytes, metadata, grpcOptions);
      cancel = () => call.cancel();
      call.on("metadata", (received) => options.onHeaders?.(headersOf(received)));
      options.signal?.addEventListener("abort", cancel, { once: true });
      if ("write" in call) pump(call as unknown as Upload, method, input, (error) => call.destroy(error as Error));
      for await (const bytes of call as AsyncIterable<Buffer>) yield decode(method.output, bytes);
    } catch (error) {
      refusal = this.#refusal(error, options);
      throw refusal;
    } finally {
      options.signal?.removeEventListener("abort", cancel);
      cancel();
      observation?.end(refusal);
    }
  }

  #refusal(error: unknown, { signal }: CallOptions): Refusal {
    if (signal?.aborted) return reasonOf(signal);
    if (!isServiceError(error)) return error as Refusal;
    if (isOurs(error)) return refusalOfError(error);
    if (this.#settings.unreachable !== undefined) return this.#settings.unreachable(error);
    return error.code === 4 ? deadlinePassed() : error.code === 1 ? cancelled() : refusalOfError(error);
  }
}

const isServiceError = (error: unknown): error is ServiceError => error instanceof Error && "code" in error && "details" in error;

const encodeInit = (method: DescMethod, init: unknown) => encode(method.input, create(method.input, init as Record<string, unknown>));

function outgoing(method: DescMethod, options: CallOptions, observation: Observation | undefined) {
  const headers = { ...observation?.headers(), ...options.headers };
  const timeoutMs = options.timeoutMs ?? (method.methodKind === "unary" ? defaultTimeoutMs : undefined);
  const grpcOptions: GrpcOptions = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
  return [`/${method.parent.typeName}/${method.name}`, metadataOf(Object.entries(headers)), grpcOptions] as const;
}

interface Upload extends MessageSink {
  end(): void;
  cancel(): void;
}

/** Sends the caller's messages beside the reading of the answer; ends the caller's iterable when the call is over. */
function pump(call: Upload, method: DescMethod, input: unknown, fail: (error: unknown) => void): void {
  writeAll(call, input as AsyncIterable<unknown>, (init) => encodeInit(method, init)).then(
    () => call.end(),
    (error) => {
      fail(error);
      call.cancel();
    },
  );
}
