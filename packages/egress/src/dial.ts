import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type Address, parseAddress } from "./address-class.ts";

/** Milliseconds for one address before the next is tried beside it (RFC 8305 §5). */
const attemptMs = 250;

/** Connects to one of the checked addresses and to nothing else: no name is looked up here. */
export async function dialTcp(host: string, addresses: readonly Address[], port: number, signal: AbortSignal): Promise<Socket> {
  const checked = addresses.map((address) => ({ address: address.toString(), family: address.kind() === "ipv4" ? 4 : 6 }));
  const socket = connectTcp({
    // A name with several addresses is given to Node with the answers at hand, so that it races them; one address is dialled as it is.
    host: checked.length === 1 ? (checked[0] as { address: string }).address : "checked.invalid",
    port,
    autoSelectFamily: checked.length > 1,
    autoSelectFamilyAttemptTimeout: attemptMs,
    lookup: (_name, options, answer) => (options.all ? answer(null, checked) : answer(null, checked[0]?.address ?? "", checked[0]?.family)),
  });
  socket.setNoDelay(true);
  await event(socket, "connect", signal);
  const reached = parseAddress(socket.remoteAddress ?? "");
  if (reached === undefined || !checked.some(({ address }) => address === reached.toString())) {
    socket.destroy();
    throw new Error(`connected to something else than ${host}`);
  }
  return socket;
}

/** A client's certificate, with its chain, and private key: PEM. */
export interface ClientIdentity {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

export interface TlsSettings {
  /** PEM; instead of the system's certificates. */
  readonly ca: string | undefined;
  /** Protocols by preference (RFC 7301). */
  readonly alpn: readonly string[] | undefined;
  readonly identity?: ClientIdentity | undefined;
}

/** TLS 1.2 or later over `socket`; the certificate must be valid for `host`, a name (RFC 6125) or an address. */
export async function startTls(socket: Socket, host: string, settings: TlsSettings, signal: AbortSignal): Promise<TLSSocket> {
  const name = host.replace(/\.$/, "");
  const secure = connectTls({
    socket,
    host: name,
    // Server names are names only (RFC 6066 §3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(settings.ca === undefined ? {} : { ca: settings.ca }),
    ...(settings.alpn === undefined ? {} : { ALPNProtocols: [...settings.alpn] }),
    ...(settings.identity === undefined ? {} : { cert: settings.identity.certificate, key: settings.identity.key }),
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
  });
  await event(secure, "secureConnect", signal);
  return secure;
}

/** Waits for an event; on an error or an abort the socket is gone when this throws. */
async function event(socket: Socket, name: "connect" | "secureConnect", signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const aborted = () => reject(signal.reason);
  const ended = () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
  socket.once(name, resolve).once("error", reject).once("close", ended);
  signal.addEventListener("abort", aborted, { once: true });
  try {
    signal.throwIfAborted();
    await promise;
  } catch (error) {
    socket.on("error", () => undefined).destroy();
    throw error;
  } finally {
    socket.off(name, resolve).off("error", reject).off("close", ended);
    signal.removeEventListener("abort", aborted);
  }
}
