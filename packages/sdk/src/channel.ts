import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { ChannelCredentials } from "@grpc/grpc-js";
import { type ChannelSettings, GrpcChannel } from "@sallyport/service/client";
import { unreachable } from "./unreachable.ts";

/** What the caller's side of the connection shows: a key and the certificate for it, PEM. */
export interface ClientIdentity {
  readonly key: string;
  readonly certificate: string;
}

/**
 * A TLS channel whose server must have a certificate for the very host of the address, name or IP.
 *
 * @param address `host:port`, or several of IP addresses parted by commas
 * @param ca PEM certificates to trust instead of the system's
 * @param identity for a listener that demands client certificates
 */
export function openChannel(address: string, ca?: string, observer?: ChannelSettings["observer"], identity?: ClientIdentity): GrpcChannel {
  const replicas = address.split(",");
  const hosts = replicas.map((replica) => replica.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""));
  const byAddress = hosts.some((host) => isIP(host) !== 0);
  const [key = null, certificate = null] = identity === undefined ? [] : [Buffer.from(identity.key), Buffer.from(identity.certificate)];
  return new GrpcChannel(replicas.length === 1 ? address : `ipv${isIP(hosts[0] ?? "")}:${address}`, {
    credentials: ChannelCredentials.createSsl(ca === undefined ? null : Buffer.from(ca), key, certificate, {
      checkServerIdentity: (_name, certificate) => {
        const problems = hosts.map((host) => checkServerIdentity(host, certificate as Parameters<typeof checkServerIdentity>[1]));
        return problems.includes(undefined) ? undefined : problems[0];
      },
    }),
    observer,
    unreachable: unreachable(address),
    // An IP address cannot be a server name (RFC 6066 §3); the check above is against the address all the same.
    ...(!byAddress ? {} : { options: { "grpc.ssl_target_name_override": "sallyport" } }),
  });
}
