import { ChannelCredentials, Client, Metadata, type ServiceError } from "@grpc/grpc-js";
import { ErrorInfoSchema, type Refusal, reasons } from "@sallyport/contracts";
import type { Endpoints } from "@sallyport/sdk";

/** What came of a call whose bytes are not any message's. */
export interface RawAnswer {
  /** gRPC status code. */
  readonly code: number;
  readonly details: string;
  /** The bytes of `google.rpc.Status`, where they were sent. */
  readonly status: Buffer;
  /** The nonce that the next proof may carry. */
  readonly nonce: string | undefined;
  /** The reason in them. */
  readonly reason: keyof typeof reasons | undefined;
}

/** Sends bytes to a method as they are, and takes its first message for its answer. @param path `/<service>/<Method>` */
export function rawCall(
  endpoints: Endpoints,
  path: string,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
  timeoutMs = 10_000,
): Promise<RawAnswer> {
  const client = new Client(endpoints.broker, ChannelCredentials.createSsl(Buffer.from(endpoints.ca ?? "")), {
    "grpc.max_send_message_length": -1,
    // An IP address cannot be a server name (RFC 6066 §3).
    "grpc.ssl_target_name_override": "localhost",
  });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new Promise((resolve) => {
    const same = (message: Buffer) => message;
    const options = { deadline: Date.now() + timeoutMs };
    let nonce: string | undefined;
    const call = client.makeServerStreamRequest(path, same, same, Buffer.from(bytes), metadata, options);
    call.on("metadata", (received: Metadata) => {
      nonce = received.get("dpop-nonce")[0]?.toString();
    });
    const answered = (error?: ServiceError) => {
      call.cancel();
      client.close();
      const status = (error?.metadata?.get("grpc-status-details-bin")[0] as Buffer | undefined) ?? Buffer.alloc(0);
      const text = status.toString("latin1");
      const reason = text.includes(ErrorInfoSchema.typeName) ? Object.keys(reasons).find((one) => text.includes(one)) : undefined;
      nonce ??= error?.metadata?.get("dpop-nonce")[0]?.toString();
      resolve({ code: error?.code ?? 0, details: error?.details ?? "", status, nonce, reason: reason as RawAnswer["reason"] });
    };
    call.once("data", () => answered());
    call.once("end", () => answered());
    call.on("error", (error: ServiceError) => answered(error));
  });
}

/** Everything that a refusal tells its caller. */
export const saidBy = (refusal: Refusal): string => JSON.stringify([refusal.reason, refusal.message, refusal.metadata]);
