import { connect } from "node:http2";

export interface RawGrpcOptions {
  readonly ca: string | Buffer;
  /** A client certificate with its key, PEM. */
  readonly client?: { readonly certificate: string | Buffer; readonly key: string | Buffer } | undefined;
  /** Sent with every call. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A gRPC method called with bytes that are made once, over one HTTP/2 connection with TLS and nothing else in between: what is
 * measured is the server, and both sides' clients cost the same little.
 */
export function rawGrpc(address: string, path: string, { ca, client, headers = {} }: RawGrpcOptions) {
  const open = () =>
    connect(`https://${address}`, {
      ca,
      ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
      checkServerIdentity: () => undefined,
    }).on("error", () => undefined);
  let session = open();
  const sent = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...headers };
  return {
    /** @returns the answer's messages @throws where the status is not OK */
    call: (request: Buffer) =>
      new Promise<Buffer[]>((resolve, reject) => {
        if (session.destroyed || session.closed) session = open();
        const stream = session.request(sent);
        const pieces: Buffer[] = [];
        let status: string | undefined;
        let message: string | undefined;
        const note = (fields: Record<string, unknown>) => {
          status = (fields["grpc-status"] as string | undefined) ?? status;
          message = (fields["grpc-message"] as string | undefined) ?? message;
        };
        stream.on("response", note).on("trailers", note);
        stream.on("data", (piece: Buffer) => pieces.push(piece));
        stream.on("error", reject);
        stream.on("close", () =>
          status === "0"
            ? resolve(messagesIn(Buffer.concat(pieces)))
            : reject(new Error(`gRPC status ${status ?? "missing"}: ${message ?? ""}`)),
        );
        stream.end(framed(request));
      }),
    close: () => session.destroy(),
  };
}

/** A message with its prefix: not compressed, length. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function messagesIn(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return messages;
}
