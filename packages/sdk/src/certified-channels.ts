import type { DescService } from "@bufbuild/protobuf";
import type { Client, GrpcChannel } from "@sallyport/service/client";

/** A channel for the time of one call. */
export interface LentChannel {
  client<S extends DescService>(service: S): Client<S>;
  /** The call is over. */
  giveBack(): void;
}

/**
 * Connections that are made with a client certificate. A credential is bound to one certificate (RFC 8705 §3), so the next
 * credential goes out on a new connection, made with its own; the old one is closed once the calls on it are over.
 */
export class CertifiedChannels {
  readonly #open: (address: string, certificatePem: string) => GrpcChannel;
  readonly #current = new Map<string, CertifiedChannel>();

  /** @param open makes a connection that shows the certificate */
  constructor(open: (address: string, certificatePem: string) => GrpcChannel) {
    this.#open = open;
  }

  lend(address: string, certificatePem: string): LentChannel {
    let channel = this.#current.get(address);
    if (channel?.certificatePem !== certificatePem) {
      channel?.retire();
      channel = new CertifiedChannel(this.#open(address, certificatePem), certificatePem);
      this.#current.set(address, channel);
    }
    channel.enter();
    return channel;
  }

  close(): void {
    for (const channel of this.#current.values()) channel.close();
    this.#current.clear();
  }
}

class CertifiedChannel implements LentChannel {
  readonly certificatePem: string;
  readonly #channel: GrpcChannel;
  readonly #clients = new Map<DescService, unknown>();
  #calls = 0;
  #retired = false;

  constructor(channel: GrpcChannel, certificatePem: string) {
    this.#channel = channel;
    this.certificatePem = certificatePem;
  }

  client<S extends DescService>(service: S): Client<S> {
    const known = this.#clients.get(service) ?? this.#channel.client(service);
    this.#clients.set(service, known);
    return known as Client<S>;
  }

  enter(): void {
    this.#calls += 1;
  }

  giveBack(): void {
    this.#calls -= 1;
    if (this.#retired && this.#calls === 0) this.close();
  }

  retire(): void {
    this.#retired = true;
    if (this.#calls === 0) this.close();
  }

  close(): void {
    this.#channel.close();
  }
}
