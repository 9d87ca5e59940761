import { type ChannelCredentials, Client } from "@grpc/grpc-js";

/** A gRPC method called with bytes that are made once, so that both sides' clients cost the same. */
export function rawUnary(address: string, credentials: ChannelCredentials, path: string, serverName: string) {
  const client = new Client(address, credentials, { "grpc.ssl_target_name_override": serverName });
  const asIs = (bytes: Buffer) => bytes;
  return {
    call: (request: Buffer) =>
      new Promise<Buffer>((resolve, reject) => {
        client.makeUnaryRequest(path, asIs, asIs, request, (error, answer) => (error === null ? resolve(answer as Buffer) : reject(error)));
      }),
    close: () => client.close(),
  };
}
