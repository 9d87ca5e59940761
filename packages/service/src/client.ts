import type { DescMethod, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

export interface CallOptions {
  /** Aborting it cancels the call; the answer is then a `CANCELLED` refusal, or the signal's own where its reason is one. */
  readonly signal?: AbortSignal;
  /** How long the whole call may take. Unary calls: 10,000 unless said; streams: no limit unless said. */
  readonly timeoutMs?: number;
  /** Request headers, lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Told the answer's headers, lower case, before the first message; also where the call is refused. */
  readonly onHeaders?: (headers: ReadonlyMap<string, string>) => void;
}

type Call<Input, Output> = (input: Input, options?: CallOptions) => Output;

/** How one RPC is called. Whatever goes wrong arrives as Refusal. */
export type ClientMethod<M extends DescMethod> = M extends { methodKind: "unary" }
  ? Call<MessageInitShape<M["input"]>, Promise<MessageShape<M["output"]>>>
  : M extends { methodKind: "server_streaming" }
    ? Call<MessageInitShape<M["input"]>, AsyncIterable<MessageShape<M["output"]>>>
    : M extends { methodKind: "client_streaming" }
      ? Call<AsyncIterable<MessageInitShape<M["input"]>>, Promise<MessageShape<M["output"]>>>
      : Call<AsyncIterable<MessageInitShape<M["input"]>>, AsyncIterable<MessageShape<M["output"]>>>;

/** A service as its callers see it, whether it is in this process or behind a socket. */
export type Client<S extends DescService> = { readonly [K in keyof S["method"]]: ClientMethod<S["method"][K]> };
