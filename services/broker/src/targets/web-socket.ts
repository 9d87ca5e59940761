import type { IncomingMessage } from "node:http";
import { Refusal } from "@sallyport/contracts";
import type { Egress } from "@sallyport/egress";
import { WebSocket } from "ws";
import { listOf } from "./header-lines.ts";
import type { Injected } from "./inject/injected.ts";
import { protocolHeader } from "./operation.ts";

/** Bytes of one message at most, put together from its frames; a target's own bound is below. */
const maxMessageBytes = 16 * 1024 * 1024;

/** What a target answered to an upgrade: the connection, paused, or an answer of HTTP. */
export type Opened =
  | { readonly kind: "open"; readonly socket: WebSocket; readonly headers: IncomingMessage["headers"] }
  | { readonly kind: "answer"; readonly answer: IncomingMessage };

export interface Opening {
  readonly base: URL;
  readonly egress: Egress;
  readonly maxBodyBytes: number;
}

export const messageBound = (maxBodyBytes: number): number => Math.min(maxBodyBytes, maxMessageBytes);

/**
 * Opens a WebSocket at a target (RFC 6455 §4.1) over the guarded dialler. Nothing is negotiated but a subprotocol that was asked for:
 * compression is not offered, as what comes back is read.
 *
 * @param headers also those of the trace
 * @param signal ends it, after the target's time too; its reason is what is thrown
 * @throws Refusal of the dialler; or an error where the target broke off or its answer is none
 */
export async function openWebSocket(
  { base, egress, maxBodyBytes }: Opening,
  { sent, headers, identity }: Pick<Injected, "sent" | "headers" | "identity">,
  signal: AbortSignal,
): Promise<Opened> {
  const path = `${base.pathname.replace(/\/$/, "")}${sent}`;
  const url = new URL(path, base);
  // What was judged is what is sent, byte for byte.
  if (`${url.pathname}${url.search}` !== path || url.origin !== base.origin)
    throw new Refusal(
      "INVALID_REQUEST",
      "The path or query holds a character that a WebSocket's URL cannot have as it is; percent-encode it.",
      {
        metadata: { effect: "none" },
      },
    );
  const tls = base.protocol === "https:";
  const port = Number(base.port) || (tls ? 443 : 80);
  const connection = await egress.connect({ host: base.hostname, port, tls, signal, ...(tls ? { alpn: ["http/1.1"], identity } : {}) });
  const protocols = listOf(headers, protocolHeader);
  url.protocol = tls ? "wss:" : "ws:";
  const socket = new WebSocket(url, protocols, {
    createConnection: () => connection as never,
    headers: Object.fromEntries(headers.filter(([name]) => name !== protocolHeader)),
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: messageBound(maxBodyBytes),
    skipUTF8Validation: false,
  });
  const { promise, resolve, reject } = Promise.withResolvers<Opened>();
  const fail = (error: unknown) => {
    reject(error);
    connection.destroy();
  };
  const aborted = () => fail(signal.reason);
  signal.addEventListener("abort", aborted, { once: true });
  let answered: IncomingMessage["headers"] = {};
  socket
    .on("error", fail)
    .once("upgrade", (answer) => {
      answered = answer.headers;
    })
    .once("open", () => {
      // Until the tool's side stands nobody would hear what comes.
      socket.pause();
      resolve({ kind: "open", socket, headers: answered });
    })
    .once("unexpected-response", (_request, answer) => resolve({ kind: "answer", answer }));
  try {
    // As if it were later: the connection is let go, and whoever waits hears of it.
    if (signal.aborted) aborted();
    return await promise;
  } finally {
    signal.removeEventListener("abort", aborted);
  }
}
