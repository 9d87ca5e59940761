import { ChannelCredentials, Client, Metadata } from "@grpc/grpc-js";
import { ErrorInfoSchema, type Refusal, reasons } from "@sallyport/contracts";
import type { Endpoints } from "@sallyport/sdk";

/** What came of a call whose bytes are not any message's. */
export interface RawAnswer {
  /** gRPC status code. */
  readonly code: number;
  readonly details: string;
  /** The bytes of `google.rpc.Status`, where they were sent. */
  readonly status: Buffer;
  /** The reason in them. */
  readonly reason: keyof typeof reasons | undefined;
}

/** Sends bytes to a method as they are. @param path `/<service>/<Method>` */
export function rawCall(endpoints: Endpoints, path: string, bytes: Uint8Array, headers: Record<string, string> = {}): Promise<RawAnswer> {
  const client = new Client(endpoints.broker, ChannelCredentials.createSsl(Buffer.from(endpoints.ca ?? "")), {
    "grpc.max_send_message_length": -1,
    // An IP address cannot be a server name (RFC 6066 §3).
    "grpc.ssl_target_name_override": "localhost",
  });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new Promise((resolve) => {
    const same = (message: Buffer) => message;
    const options = { deadline: Date.now() + 10_000 };
    client.makeUnaryRequest(path, same, same, Buffer.from(bytes), metadata, options, (error) => {
      client.close();
      const status = (error?.metadata?.get("grpc-status-details-bin")[0] as Buffer | undefined) ?? Buffer.alloc(0);
      const text = status.toString("latin1");
      const reason = text.includes(ErrorInfoSchema.typeName) ? Object.keys(reasons).find((one) => text.includes(one)) : undefined;
      resolve({ code: error?.code ?? 0, details: error?.details ?? "", status, reason: reason as RawAnswer["reason"] });
    });
  });
}

/** Everything that a refusal tells its caller. */
export const saidBy = (refusal: Refusal): string => JSON.stringify([refusal.reason, refusal.message, refusal.metadata]);
