import type { TLSSocket } from "node:tls";
import { type Context, propagation, ROOT_CONTEXT } from "@opentelemetry/api";
import { BrokerService, Refusal } from "@sallyport/contracts";
import { certificateThumbprint } from "@sallyport/identity";
import type { Call, PeerIdentity } from "@sallyport/service";
import type { ToolRequest } from "./tool-request.ts";

/** A connection of whoever runs a tool: its client certificate, and the credential that is bound to it. */
export interface ProvenConnection {
  readonly peer: Extract<PeerIdentity, { kind: "certificate" }>;
  /** `Bearer …`, as it came in `Proxy-Authorization`; empty where none came. */
  readonly authorization: string;
}

/** A connection's certificate does not change, and reading it costs more than a small request does. */
const known = new WeakMap<TLSSocket, ProvenConnection["peer"]>();

/** The certificate was verified against the agents' CA by TLS. @throws Refusal PROOF_REQUIRED */
export function peerOf(socket: TLSSocket): ProvenConnection["peer"] {
  const peer = known.get(socket) ?? readPeer(socket);
  known.set(socket, peer);
  return peer;
}

function readPeer(socket: TLSSocket): ProvenConnection["peer"] {
  const der = socket.authorized ? socket.getPeerX509Certificate()?.raw : undefined;
  if (der === undefined) throw new Refusal("PROOF_REQUIRED", "The proxy is for agents with a client certificate; use `sallyport run`.");
  const thumbprint = certificateThumbprint(der);
  return { kind: "certificate", der, thumbprint, address: `${socket.remoteAddress}:${socket.remotePort}` };
}

/** The call that the gate authenticates for one request: the same credential and binding as at the mTLS door, each time anew. */
export function callOf({ peer, authorization }: ProvenConnection, signal: AbortSignal, trace: Context): Call {
  return {
    method: BrokerService.method.use,
    door: "agents-mtls",
    peer,
    signal,
    deadline: undefined,
    metadata: new Map(authorization === "" ? [] : [["authorization", authorization]]),
    requestHash: new Uint8Array(),
    trace,
    setHeader: () => {},
  };
}

/** The trace that a tool says its request belongs to. */
export const traceOf = ({ headers }: Pick<ToolRequest, "headers">): Context =>
  propagation.extract(ROOT_CONTEXT, Object.fromEntries(headers.filter(([name]) => name === "traceparent" || name === "tracestate")));
