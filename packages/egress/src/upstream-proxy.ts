import { request } from "node:http";
import type { Socket } from "node:net";
import { SocksClient } from "socks";

/** A proxy between this network and the destinations: a company's, which sees names and bytes of TLS, and nothing in them. */
export interface UpstreamProxy {
  /** `https`: TLS to the proxy itself, beside the destination's own in the tunnel. */
  readonly scheme: "http" | "https" | "socks5";
  readonly host: string;
  readonly port: number;
  /** PEM certificates by which the proxy is known; the system's where left out. */
  readonly ca?: string | undefined;
  readonly credentials?: { readonly username: string; readonly password: string } | undefined;
}

/** The proxy did not open the tunnel. What it said is not told on: it may hold anything. */
export class TunnelRefused extends Error {
  override readonly name = "TunnelRefused";
  /** `PROXY_407`, `PROXY_SOCKS`. */
  readonly code: string;

  constructor(code: string, cause?: unknown) {
    super(code, { cause });
    this.code = code;
  }
}

/**
 * Asks the proxy at the other end of a connection for one to a destination, which the proxy resolves: by `CONNECT` (RFC 9110 §9.3.6)
 * or SOCKS 5 (RFC 1928, RFC 1929). Whatever the scheme of the request, so that the proxy never sees one.
 *
 * @throws TunnelRefused
 */
export function tunnelThrough(
  connection: Socket,
  proxy: UpstreamProxy,
  to: { host: string; port: number },
  signal: AbortSignal,
): Promise<Socket> {
  return proxy.scheme === "socks5" ? bySocks(connection, proxy, to, signal) : byConnect(connection, proxy, to, signal);
}

function byConnect(
  connection: Socket,
  { credentials }: UpstreamProxy,
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
): Promise<Socket> {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const asking = request({
    createConnection: () => connection,
    method: "CONNECT",
    path: authority,
    headers: [
      ...["host", authority],
      ...(credentials === undefined
        ? []
        : ["proxy-authorization", `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`]),
    ],
    signal,
  });
  const refused = (error: Error) => {
    connection.destroy();
    reject(error);
  };
  asking
    .once("connect", (answer, socket, head) => {
      // Bytes of a destination come after ours only: these are the proxy's own.
      if (answer.statusCode !== 200 || head.length > 0) return refused(new TunnelRefused(`PROXY_${answer.statusCode}`));
      resolve(socket);
    })
    .once("response", (answer) => refused(new TunnelRefused(`PROXY_${answer.statusCode}`)))
    .once("error", refused)
    .end();
  return promise;
}

async function bySocks(
  connection: Socket,
  { host, port, credentials }: UpstreamProxy,
  to: { host: string; port: number },
  signal: AbortSignal,
): Promise<Socket> {
  const aborted = () => connection.destroy();
  signal.addEventListener("abort", aborted, { once: true });
  try {
    const { socket } = await SocksClient.createConnection({
      proxy: {
        host,
        port,
        type: 5,
        ...(credentials === undefined ? {} : { userId: credentials.username, password: credentials.password }),
      },
      command: "connect",
      destination: to,
      existing_socket: connection,
    });
    return socket;
  } catch (error) {
    connection.destroy();
    throw new TunnelRefused("PROXY_SOCKS", error);
  } finally {
    signal.removeEventListener("abort", aborted);
  }
}
