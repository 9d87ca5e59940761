import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { ChannelCredentials } from "@grpc/grpc-js";
import { type ChannelSettings, GrpcChannel } from "@sallyport/service/client";
import { unreachable } from "./unreachable.ts";

/**
 * A TLS channel whose server must have a certificate for the very host of the address, name or IP.
 *
 * @param address `host:port`
 * @param ca PEM certificates to trust instead of the system's
 */
export function openChannel(address: string, ca?: string, observer?: ChannelSettings["observer"]): GrpcChannel {
  const host = address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return new GrpcChannel(address, {
    credentials: ChannelCredentials.createSsl(ca === undefined ? null : Buffer.from(ca), null, null, {
      checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate as Parameters<typeof checkServerIdentity>[1]),
    }),
    observer,
    unreachable: unreachable(address),
    // An IP address cannot be a server name (RFC 6066 §3); the check above is against the address all the same.
    ...(isIP(host) === 0 ? {} : { options: { "grpc.ssl_target_name_override": "sallyport" } }),
  });
}
