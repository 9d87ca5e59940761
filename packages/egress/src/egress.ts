import { lookup } from "node:dns/promises";
import net from "node:net";
import tls from "node:tls";
import { printable, Refusal } from "@sallyport/contracts";
import { Agent, type Dispatcher } from "undici";
import { AllowedRanges, canonicalAddress, restricted } from "./address.ts";

export interface EgressOptions {
  /** What this connection is called in the configuration, for sentences: `target orders-api`. */
  readonly name: string;
  /** Loopback, private and other special ranges that may be dialled nevertheless, CIDR. */
  readonly allow?: readonly string[];
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string;
  /** Milliseconds until a connection must stand; 5,000 unless said. */
  readonly connectTimeoutMs?: number;
  /** How names are resolved; the system's resolver unless a test says otherwise. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** Sallyport's own listeners, `port` on any local address: never dialled, whatever is allowed. */
  readonly ownPorts?: () => ReadonlySet<number>;
}

export interface Destination {
  readonly host: string;
  readonly port: number;
  /** With TLS: the certificate must be valid for `host`. */
  readonly tls?: boolean | tls.ConnectionOptions;
}

/**
 * The one guarded dialler: every outgoing connection of every service is made here. A name is resolved once, every address
 * that it has is judged, and one that was judged is dialled, so that no second answer of the resolver's counts (DNS
 * rebinding). Loopback, private, link-local and reserved addresses are refused unless the connection lists them.
 */
export class Egress {
  readonly #options: EgressOptions;
  readonly #allowed: AllowedRanges;

  constructor(options: EgressOptions) {
    this.#options = options;
    this.#allowed = new AllowedRanges(options.allow ?? []);
  }

  /** For what belongs to the installation itself (state, Kafka, peers): loopback and private addresses, never link-local ones. */
  static infrastructure(options: Omit<EgressOptions, "allow">): Egress {
    return new Egress({
      ...options,
      allow: ["127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"],
    });
  }

  /**
   * A connected socket, with TLS verified where it is asked for.
   * @throws Refusal DESTINATION_NOT_ALLOWED, TARGET_UNAVAILABLE
   */
  async connect(destination: Destination, signal?: AbortSignal): Promise<net.Socket | tls.TLSSocket> {
    const host = destination.host.replace(/^\[|\]$/g, "");
    const addresses = await this.#judged(host, destination.port);
    let failure: unknown;
    for (const address of addresses) {
      try {
        return await this.#dial(address, host, destination, signal);
      } catch (error) {
        failure = error;
        if (signal?.aborted) break;
      }
    }
    throw new Refusal(
      "TARGET_UNAVAILABLE",
      `${this.#options.name}: no connection to ${printable(host)}:${destination.port}${isCertificateProblem(failure) ? ", whose certificate is not valid for it" : ""}.`,
      {
        cause: failure,
      },
    );
  }

  /** An undici dispatcher whose every connection is made by {@link connect}. No redirect is followed by it. */
  dispatcher(options: Omit<Agent.Options, "connect"> = {}): Dispatcher {
    return new Agent({
      ...options,
      connect: (target, callback) => {
        const secure = target.protocol === "https:";
        const port = Number(target.port || (secure ? 443 : 80));
        this.connect({ host: target.hostname, port, tls: secure ? { ALPNProtocols: ["http/1.1"] } : false }).then(
          (socket) => callback(null, socket as net.Socket),
          (error) => callback(error, null),
        );
      },
    });
  }

  /** The addresses of a host, each of them judged. One bad address condemns them all: which one is dialled is not left to chance. */
  async #judged(host: string, port: number): Promise<string[]> {
    if (this.#options.ownPorts?.().has(port) && (await this.#isOwn(host))) throw this.#refused(host, "this Sallyport itself", undefined);
    const addresses = net.isIP(host) ? [host] : await this.#resolve(host);
    if (addresses.length === 0) throw new Refusal("TARGET_UNAVAILABLE", `${this.#options.name}: ${printable(host)} has no address.`);
    return addresses.map((text) => {
      let address: ReturnType<typeof canonicalAddress>;
      try {
        address = canonicalAddress(text);
      } catch {
        throw this.#refused(host, "no plain address", undefined);
      }
      const why = restricted(address);
      if (why !== undefined && !this.#allowed.includes(address))
        throw this.#refused(host, `${address.toString()}, a ${why} address`, address.toString());
      return address.toString();
    });
  }

  async #isOwn(host: string): Promise<boolean> {
    const addresses = net.isIP(host) ? [host] : await this.#resolve(host);
    return addresses.some((address) => ["loopback", "private"].includes(restricted(canonicalAddress(address)) ?? ""));
  }

  async #resolve(host: string): Promise<readonly string[]> {
    try {
      if (this.#options.resolve !== undefined) return await this.#options.resolve(host);
      return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
    } catch (cause) {
      throw new Refusal("TARGET_UNAVAILABLE", `${this.#options.name}: ${printable(host)} could not be resolved.`, { cause });
    }
  }

  #refused(host: string, what: string, address: string | undefined): Refusal {
    const mend =
      address === undefined ? "" : `; if that is meant, add it to its \`network\`: [${address}${address.includes(":") ? "/128" : "/32"}]`;
    return new Refusal("DESTINATION_NOT_ALLOWED", `${this.#options.name}: ${printable(host)} is ${what}, which is not dialled${mend}.`);
  }

  #dial(address: string, host: string, destination: Destination, signal: AbortSignal | undefined): Promise<net.Socket | tls.TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket =
        destination.tls === undefined || destination.tls === false
          ? net.connect({ host: address, port: destination.port, noDelay: true })
          : tls.connect({
              ...(destination.tls === true ? {} : destination.tls),
              host: address,
              port: destination.port,
              rejectUnauthorized: true,
              ...(net.isIP(host) ? {} : { servername: host }),
              checkServerIdentity: (_name, certificate) => tls.checkServerIdentity(host, certificate),
              ...(this.#options.ca === undefined ? {} : { ca: this.#options.ca }),
            });
      const ready = destination.tls === undefined || destination.tls === false ? "connect" : "secureConnect";
      const timer = setTimeout(() => socket.destroy(new Error("no connection in time")), this.#options.connectTimeoutMs ?? 5_000);
      const abort = () => socket.destroy(new Error("cancelled"));
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      signal?.addEventListener("abort", abort, { once: true });
      socket.once(ready, () => {
        settle();
        resolve(socket);
      });
      socket.once("error", (error) => {
        settle();
        reject(error);
      });
    });
  }
}

const isCertificateProblem = (error: unknown) =>
  /^(ERR_TLS|CERT_|DEPTH_ZERO|UNABLE_TO|SELF_SIGNED)/.test((error as NodeJS.ErrnoException | undefined)?.code ?? "");
