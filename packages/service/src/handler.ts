import type { DescMethod, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Context } from "@opentelemetry/api";

/** Which listener a call came through. */
export type Door = "agents" | "agents-mtls" | "peers" | "edge" | "in-process";

export type ServiceRole = "authn" | "pdp" | "broker" | "audit";

/** Who is at the other end of the connection: not yet who is calling. */
export type PeerIdentity =
  | { readonly kind: "anonymous"; readonly address: string }
  /** `thumbprint`: base64url SHA-256 of the certificate's DER (RFC 8705 `x5t#S256`). */
  | { readonly kind: "certificate"; readonly der: Uint8Array; readonly thumbprint: string; readonly address: string }
  | { readonly kind: "service"; readonly role: ServiceRole; readonly spiffeId: string };

/** What a handler may know of a call beside its message. */
export interface Call {
  readonly method: DescMethod;
  readonly door: Door;
  readonly peer: PeerIdentity;
  /** Aborts when the caller cancels, the deadline passes, draining runs past its bound, or the call is over. */
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly deadline: number | undefined;
  /** Request headers, lower case; a name that came twice was refused before the handler. */
  readonly metadata: ReadonlyMap<string, string>;
  /** SHA-256 of the (first) request message's bytes as they were received. */
  readonly requestHash: Uint8Array;
  /** The server span's context. */
  readonly trace: Context;
  /** Adds a response header; before the first message only. */
  setHeader(name: string, value: string): void;
}

/** What serves one RPC, on every transport. Throws Refusal; anything else is INTERNAL and stays in the log. */
export type Handler<M extends DescMethod> = M extends { methodKind: "unary" }
  ? (request: MessageShape<M["input"]>, call: Call) => Promise<MessageInitShape<M["output"]>>
  : M extends { methodKind: "server_streaming" }
    ? (request: MessageShape<M["input"]>, call: Call) => AsyncIterable<MessageInitShape<M["output"]>>
    : M extends { methodKind: "client_streaming" }
      ? (requests: AsyncIterable<MessageShape<M["input"]>>, call: Call) => Promise<MessageInitShape<M["output"]>>
      : (requests: AsyncIterable<MessageShape<M["input"]>>, call: Call) => AsyncIterable<MessageInitShape<M["output"]>>;

export type Handlers<S extends DescService> = { readonly [K in keyof S["method"]]: Handler<S["method"][K]> };
