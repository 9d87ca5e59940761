import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { metrics, trace } from "@opentelemetry/api";
import {
  BrokerService,
  type Ceiling,
  type Chain,
  type Credential,
  DelegationService,
  EvidenceService,
  Refusal,
  ReviewService,
  RevocationService,
  RosterService,
  TokenService,
} from "@sallyport/contracts";
import { ProofMaker } from "@sallyport/identity/proof-maker";
import { type Client, type GrpcChannel, RpcObserver } from "@sallyport/service/client";
import type { CeilingInit } from "./ceiling.ts";
import { CertifiedChannels } from "./certified-channels.ts";
import { certifiedClient } from "./certified-client.ts";
import { openChannel } from "./channel.ts";
import type { Endpoints } from "./endpoints.ts";
import { HeldCredential } from "./held-credential.ts";
import { type Holder, provenClient } from "./proven-client.ts";
import { provenWithoutCertificate } from "./without-certificate.ts";

const scope = "@sallyport/sdk";

/**
 * How a credential is bound to its holder's key. `dpop`: each call carries a fresh signature (RFC 9449). `mtls`: calls go to the
 * listeners for client certificates with a certificate for the key, and nothing is signed for a call (RFC 8705).
 */
export type BindingKind = "dpop" | "mtls";

/**
 * A key, the credential bound to it, and the connections on which both are used: what people and agents have in common.
 * Calls appear in the traces of the program's own OpenTelemetry SDK, where it has one, and carry its `traceparent`.
 */
export class Session {
  readonly endpoints: Endpoints;
  readonly proofs: ProofMaker;
  readonly binding: BindingKind;
  readonly #held = new HeldCredential(async () => this.#whole((await this.tokens.renew({})).credential));
  readonly #holder: Holder;
  readonly #channels = new Map<string, GrpcChannel>();
  readonly #certified: CertifiedChannels;
  readonly #clients = new Map<DescService, unknown>();
  readonly #observer = new RpcObserver({ tracer: trace.getTracer(scope), meter: metrics.getMeter(scope) });

  /**
   * @param proofs the key; a new one unless given
   * @param credential one that was issued for that key before
   * @param binding how a credential that is still to come is bound; `mtls` wants {@link Endpoints.mtls}
   * @throws Refusal INVALID_REQUEST for `mtls` without its endpoints
   */
  constructor(endpoints: Endpoints, proofs: ProofMaker = ProofMaker.generate(), credential?: Credential, binding: BindingKind = "dpop") {
    if (binding === "mtls" && endpoints.mtls === undefined) throw noCertifiedDoor();
    this.endpoints = endpoints;
    this.proofs = proofs;
    this.binding = binding;
    this.#certified = new CertifiedChannels((address, certificate) =>
      openChannel(address, endpoints.ca, this.#observer, { key: pemOf(proofs), certificate }),
    );
    if (credential !== undefined) this.#held.resume(credential);
    this.#holder = {
      proofs,
      audience: endpoints.audience,
      credential: async (method: DescMethod) => (await this.#credentialFor(method))?.token,
      renew: () => this.#held.renewed(),
    };
  }

  get tokens(): Client<typeof TokenService> {
    return this.#client(TokenService, "authn");
  }
  get delegations(): Client<typeof DelegationService> {
    return this.#client(DelegationService, "authn");
  }
  get revocations(): Client<typeof RevocationService> {
    return this.#client(RevocationService, "authn");
  }
  get roster(): Client<typeof RosterService> {
    return this.#client(RosterService, "authn");
  }
  get broker(): Client<typeof BrokerService> {
    return this.#client(BrokerService, "broker");
  }
  get reviews(): Client<typeof ReviewService> {
    return this.#client(ReviewService, "broker");
  }
  get evidence(): Client<typeof EvidenceService> {
    return this.#client(EvidenceService, "broker");
  }

  /** The current credential as it was issued. @throws Refusal UNAUTHENTICATED before sign-in or enrolment */
  get credential(): Credential {
    const credential = this.#held.current;
    if (credential === undefined) throw new Refusal("UNAUTHENTICATED", "Sign in first.");
    return credential;
  }

  get chain(): Chain {
    return this.credential.chain as Chain;
  }
  get sessionId(): string {
    return this.credential.sessionId;
  }
  get ceiling(): Ceiling {
    return this.credential.ceiling as Ceiling;
  }

  /** Takes the credential that a sign-in or an enrolment was answered with. @throws Refusal INTERNAL where there is none, or no certificate with it */
  adopt(credential: Credential | undefined): void {
    this.#held.adopt(this.#whole(credential));
  }

  /** Gives up room: this session keeps the narrower ceiling from now on, and its descendants' credentials end. */
  async narrow(ceiling: CeilingInit): Promise<void> {
    this.adopt((await this.tokens.renew({ ceiling })).credential);
  }

  /** Closes the connections. The session itself goes on, until it is revoked or ends. */
  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    this.#clients.clear();
    this.#certified.close();
  }

  #whole(credential: Credential | undefined): Credential | undefined {
    if (this.binding === "dpop" || credential?.certificateChainPem !== "") return credential;
    throw new Refusal("INTERNAL", "The answer holds no certificate for the credential.");
  }

  #client<S extends DescService>(service: S, door: "authn" | "broker"): Client<S> {
    const known = this.#clients.get(service);
    if (known !== undefined) return known as Client<S>;
    const client = this.binding === "mtls" ? this.#certifiedClient(service, door) : this.#provenClient(service, door);
    this.#clients.set(service, client);
    return client;
  }

  #provenClient<S extends DescService>(service: S, door: "authn" | "broker"): Client<S> {
    const address = this.endpoints[door];
    return provenClient(service, this.#channel(address).client(service), this.#holder, address);
  }

  #certifiedClient<S extends DescService>(service: S, door: "authn" | "broker"): Client<S> {
    const address = this.endpoints.mtls?.[door] ?? "";
    const certified = certifiedClient(service, {
      credential: (method) => this.#credentialFor(method),
      renew: () => this.#held.renewed(),
      connect: ({ certificateChainPem }) => this.#certified.lend(address, certificateChainPem),
    });
    return provenWithoutCertificate(service, certified, this.#provenClient(service, door));
  }

  async #credentialFor(method: DescMethod): Promise<Credential | undefined> {
    // Renewing is itself a call, with the old credential.
    return method === TokenService.method.renew ? this.#held.current : this.#held.fresh();
  }

  #channel(address: string): GrpcChannel {
    let channel = this.#channels.get(address);
    if (channel === undefined) {
      channel = openChannel(address, this.endpoints.ca, this.#observer);
      this.#channels.set(address, channel);
    }
    return channel;
  }
}

const pemOf = ({ privateKey }: ProofMaker) => privateKey.export({ type: "pkcs8", format: "pem" }).toString();

const noCertifiedDoor = () =>
  new Refusal(
    "INVALID_REQUEST",
    "These endpoints name no listeners for client certificates: give `mtls` with their addresses, or leave the binding out.",
  );
