import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Agent, type buildConnector, Client, type Dispatcher } from "undici";
import { type Address, parseAddress } from "./address-class.ts";
import { AddressPolicy } from "./address-policy.ts";
import { type ClientIdentity, dialTcp, startTls } from "./dial.ts";
import { type Fetched, type FetchInit, fetchBounded } from "./fetch.ts";
import { canonicalHost } from "./host-name.ts";
import { orAborted } from "./or-aborted.ts";
import { type Door, isOwnDoor } from "./own-doors.ts";
import { refusals } from "./refusals.ts";
import { type Resolve, systemResolve } from "./resolve.ts";
import { TunnelRefused, tunnelThrough, type UpstreamProxy } from "./upstream-proxy.ts";

export interface EgressOptions {
  /** Address ranges that may be reached beside public ones, such as `10.0.0.0/8`. */
  readonly allow: readonly string[];
  /** The setting that holds `allow`, for sentences: `targets.orders-api.network`. */
  readonly setting: string;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** Sallyport's own listeners, asked for at each connection: never reached from here. */
  readonly own?: () => readonly Door[];
  /**
   * A proxy of the network's own that every connection goes through. It resolves names, so that what they resolve to is its to judge;
   * addresses are judged here all the same.
   */
  readonly via?: UpstreamProxy | undefined;
  /** For tests; the machine's own resolver otherwise. */
  readonly resolve?: Resolve;
  /** Bound for name resolution, TCP and TLS together. Default 5000. */
  readonly connectTimeoutMs?: number;
}

export interface Destination {
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  readonly tls?: boolean;
  /** Application protocols to offer by TLS, such as `h2`. */
  readonly alpn?: readonly string[];
  /** Who TLS says is calling, where the other side asks (RFC 8446 §4.4.2). */
  readonly identity?: ClientIdentity | undefined;
  readonly signal?: AbortSignal;
}

export type DispatcherOptions = Omit<Agent.Options, "connect" | "factory" | "allowH2" | "interceptors"> & {
  /** Who its connections say is calling: never shared with whoever may not be that. */
  readonly identity?: ClientIdentity | undefined;
};

export type ConnectionOptions = Omit<Client.Options, "connect" | "allowH2"> & Pick<DispatcherOptions, "identity">;

/**
 * The one way out: every connection that Sallyport opens to a host that configuration or a request names is dialled here. The name is resolved once,
 * every address it has is judged, and only a judged address is dialled, so that no second answer of the name service and no
 * other spelling of an address leads elsewhere. TLS always verifies the host that was asked for.
 */
export class Egress {
  readonly #options: EgressOptions;
  readonly #policy: AddressPolicy;
  readonly #resolve: Resolve;
  readonly #timeoutMs: number;
  /** To the proxy that every connection goes through. */
  readonly #way: { readonly via: UpstreamProxy; readonly egress: Egress } | undefined;
  #fetching: Agent | undefined;

  /** @throws Error where a range of `allow` cannot be read */
  constructor(options: EgressOptions, policy = new AddressPolicy(options.allow)) {
    this.#options = options;
    this.#policy = policy;
    this.#resolve = options.resolve ?? systemResolve;
    this.#timeoutMs = options.connectTimeoutMs ?? 5000;
    const { via, setting, connectTimeoutMs } = options;
    // What the operator runs may be anywhere but at a link-local address.
    this.#way = via && {
      via,
      egress: Egress.infra({ setting: `${setting}, via`, ca: via.ca, ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }) }),
    };
  }

  /** For what the operator runs and configuration names (state, Kafka, peers): loopback and private networks too, link-local never. */
  static infra(options: Omit<EgressOptions, "allow">): Egress {
    return new Egress({ ...options, allow: [] }, new AddressPolicy([], true));
  }

  /**
   * Opens a connection; the caller ends it. Nothing has been sent when this throws, and `metadata.effect` says so.
   * @throws Refusal DESTINATION_NOT_ALLOWED
   * @throws Refusal TARGET_UNAVAILABLE where it cannot be resolved or reached, is not who it should be, or takes too long
   */
  async connect(destination: Destination & { tls: true }): Promise<TLSSocket>;
  async connect(destination: Destination): Promise<Socket | TLSSocket>;
  async connect({ host: asked, port, tls = false, alpn, identity, signal }: Destination): Promise<Socket | TLSSocket> {
    const host = canonicalHost(asked);
    if (host === undefined) throw refusals.notAHost(asked);
    const late = AbortSignal.timeout(this.#timeoutMs);
    const bound = signal === undefined ? late : AbortSignal.any([signal, late]);
    let stage: "resolve" | "dial" | "tls" = "resolve";
    try {
      let socket: Socket;
      if (this.#way !== undefined) socket = await this.#through(this.#way, host, port, bound);
      else {
        const addresses = this.#judged(host, await this.#addressesOf(host, bound), port);
        stage = "dial";
        socket = await dialTcp(host, addresses, port, bound);
      }
      stage = "tls";
      return tls ? await startTls(socket, host, { ca: this.#options.ca, alpn, identity }, bound) : socket;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof TunnelRefused) throw refusals.noTunnel(host, port, error);
      if (late.aborted) throw refusals.late(host, port, this.#timeoutMs);
      if (error instanceof Error && error.name === "Refusal") throw error;
      throw stage === "tls"
        ? refusals.untrusted(host, port, error)
        : stage === "dial"
          ? refusals.unreachable(host, port, error)
          : refusals.unresolved(host, error);
    }
  }

  async #through(
    { via, egress }: { via: UpstreamProxy; egress: Egress },
    host: string,
    port: number,
    signal: AbortSignal,
  ): Promise<Socket> {
    const literal = parseAddress(host);
    if (literal !== undefined) this.#judged(host, [literal], port);
    else this.#refuseDoorsByName(host, port);
    const connection = await egress.connect({ host: via.host, port: via.port, tls: via.scheme === "https", signal });
    return tunnelThrough(connection, via, { host: host.replace(/\.$/, ""), port }, signal);
  }

  /** The proxy may stand on this machine, where `localhost` is ours. */
  #refuseDoorsByName(host: string, port: number): void {
    const { setting, own } = this.#options;
    const isHere = /(?:^|\.)localhost\.?$/i.test(host);
    if ((own?.() ?? []).some((door) => door.port === port && (isHere || door.host === host)))
      throw refusals.ownDoor(host, host, port, setting);
  }

  /**
   * An undici dispatcher that connects only by {@link connect}: HTTP/1.1, no proxy, no redirect. The caller closes it. Its
   * requests fail with the refusals of `connect`.
   */
  dispatcher({ identity, ...options }: DispatcherOptions = {}): Dispatcher {
    return new Agent({ ...options, allowH2: false, connect: this.#connector(identity) });
  }

  /** One connection to one origin, made with its first request and as {@link dispatcher}'s are; the caller closes it. */
  connection(origin: string, { identity, ...options }: ConnectionOptions = {}): Client {
    return new Client(origin, { ...options, allowH2: false, connect: this.#connector(identity) });
  }

  /** {@link fetchBounded} over this way out, with connections of its own. */
  fetch(url: URL | string, init: FetchInit = {}): Promise<Fetched> {
    this.#fetching ??= this.dispatcher({ connections: 32, pipelining: 1, keepAliveTimeout: 4000, maxHeaderSize: 32 * 1024 }) as Agent;
    return fetchBounded(this.#fetching, url, init);
  }

  #connector(identity: ClientIdentity | undefined): buildConnector.connector {
    return ({ hostname, protocol, port }, done) => {
      const tls = protocol === "https:";
      const destination = { host: hostname, port: Number(port) || (tls ? 443 : 80), tls };
      this.connect({ ...destination, ...(tls ? { alpn: ["http/1.1"], identity } : {}) }).then(
        (socket) => done(null, socket),
        (error) => done(error, null),
      );
    };
  }

  /** Ends what `fetch` holds open. */
  async close(): Promise<void> {
    await this.#fetching?.destroy();
    this.#fetching = undefined;
  }

  async #addressesOf(host: string, bound: AbortSignal): Promise<Address[]> {
    const literal = parseAddress(host);
    if (literal !== undefined) return [literal];
    const answers = await orAborted(this.#resolve(host), bound);
    return answers.map((answer) => {
      const address = parseAddress(answer);
      if (address === undefined) throw refusals.notAHost(answer);
      return address;
    });
  }

  /** All that may be dialled. One address that may not spoils the whole answer: so a name looks that was made to lead inside. */
  #judged(host: string, addresses: readonly Address[], port: number): Address[] {
    if (addresses.length === 0) throw refusals.unresolved(host, { code: "ENOTFOUND" });
    const { setting, own } = this.#options;
    const doors = own?.() ?? [];
    const door = addresses.find((address) => isOwnDoor(doors, host, address, port));
    if (door !== undefined) throw refusals.ownDoor(host, door.toString(), port, setting);
    const allowed = addresses.filter((address) => this.#policy.judge(address).allowed);
    for (const address of addresses) {
      const judgement = this.#policy.judge(address);
      // `localhost` is both loopbacks; where one is listed, the other is left out rather than held against it.
      const otherLoopback = address.range() === "loopback" && allowed.some((one) => one.range() === "loopback");
      if (!judgement.allowed && !otherLoopback)
        throw refusals.address(host, address.toString(), judgement.what, setting, judgement.canBeListed);
    }
    return allowed;
  }
}
