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
  TokenService,
} from "@sallyport/contracts";
import { ProofMaker } from "@sallyport/identity/proof-maker";
import { type Client, type GrpcChannel, RpcObserver } from "@sallyport/service/client";
import type { CeilingInit } from "./ceiling.ts";
import { openChannel } from "./channel.ts";
import type { Endpoints } from "./endpoints.ts";
import { HeldCredential } from "./held-credential.ts";
import { type Holder, provenClient } from "./proven-client.ts";

const scope = "@sallyport/sdk";

/**
 * A key, the credential bound to it, and the connections on which both are used: what people and agents have in common.
 * Calls appear in the traces of the program's own OpenTelemetry SDK, where it has one, and carry its `traceparent`.
 */
export class Session {
  readonly endpoints: Endpoints;
  readonly proofs: ProofMaker;
  readonly #held = new HeldCredential(async () => (await this.tokens.renew({})).credential);
  readonly #holder: Holder;
  readonly #channels = new Map<string, GrpcChannel>();
  readonly #observer = new RpcObserver({ tracer: trace.getTracer(scope), meter: metrics.getMeter(scope) });

  /** @param proofs the key; a new one unless given. @param credential one that was issued for that key before */
  constructor(endpoints: Endpoints, proofs: ProofMaker = ProofMaker.generate(), credential?: Credential) {
    this.endpoints = endpoints;
    this.proofs = proofs;
    if (credential !== undefined) this.#held.resume(credential);
    this.#holder = {
      proofs,
      audience: endpoints.audience,
      // Renewing is itself a call, with the old credential.
      credential: async (method: DescMethod) => (method === TokenService.method.renew ? this.#held.current?.token : this.#held.token()),
      renew: () => this.#held.renewed(),
    };
  }

  get tokens(): Client<typeof TokenService> {
    return this.#client(TokenService, this.endpoints.authn);
  }
  get delegations(): Client<typeof DelegationService> {
    return this.#client(DelegationService, this.endpoints.authn);
  }
  get revocations(): Client<typeof RevocationService> {
    return this.#client(RevocationService, this.endpoints.authn);
  }
  get broker(): Client<typeof BrokerService> {
    return this.#client(BrokerService, this.endpoints.broker);
  }
  get reviews(): Client<typeof ReviewService> {
    return this.#client(ReviewService, this.endpoints.broker);
  }
  get evidence(): Client<typeof EvidenceService> {
    return this.#client(EvidenceService, this.endpoints.broker);
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

  /** Takes the credential that a sign-in or an enrolment was answered with. @throws Refusal INTERNAL where there is none */
  adopt(credential: Credential | undefined): void {
    this.#held.adopt(credential);
  }

  /** Gives up room: this session keeps the narrower ceiling from now on, and its descendants' credentials end. */
  async narrow(ceiling: CeilingInit): Promise<void> {
    this.adopt((await this.tokens.renew({ ceiling })).credential);
  }

  /** Closes the connections. The session itself goes on, until it is revoked or ends. */
  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }

  #client<S extends DescService>(service: S, address: string): Client<S> {
    return provenClient(service, this.#channel(address).client(service), this.#holder, address);
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
