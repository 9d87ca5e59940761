import { create, type DescMethod, type DescService, type Message, toBinary } from "@bufbuild/protobuf";
import { type Reason, Refusal, TokenService } from "@sallyport/contracts";
import type { ProofMaker } from "@sallyport/identity/proof-maker";
import type { CallOptions, Client } from "@sallyport/service/client";

/** Who calls: the key, and the credential bound to it, if there is one yet. */
export interface Holder {
  readonly proofs: ProofMaker;
  readonly audience: string;
  /** The credential to call a method with, renewed where it nears its end. */
  credential(method: DescMethod): Promise<string | undefined>;
  /** Has it renewed at once. */
  renew(): Promise<unknown>;
}

/**
 * A client whose every call carries a fresh proof (RFC 9449) over exactly the bytes that are sent. Two refusals say, before
 * anything happens, what to do: bring a nonce that is named, or a credential inside a ceiling that was narrowed. That is
 * done, once each, and the call is made again.
 *
 * @param peer the address that is called: each has nonces of its own
 */
export function provenClient<S extends DescService>(service: S, client: Client<S>, holder: Holder, peer: string): Client<S> {
  const calls = service.methods.map((method) => {
    const call = (client as unknown as Record<string, AnyCall>)[method.localName] as AnyCall;
    const proven = new ProvenCall(method, call, holder, peer);
    switch (method.methodKind) {
      case "unary":
        return [method.localName, (request: object, options?: CallOptions) => proven.unary(request, options)];
      case "server_streaming":
        return [method.localName, (request: object, options?: CallOptions) => proven.serverStream(request, options)];
      default:
        return [method.localName, (requests: AsyncIterable<object>, options?: CallOptions) => proven.bidiStream(requests, options)];
    }
  });
  return Object.fromEntries(calls) as Client<S>;
}

/** Whether a credential is dead only because a ceiling above it was narrowed: the next one fits inside the new one, or is refused. */
export const isNarrowed = (error: unknown): boolean =>
  error instanceof Refusal && error.reason === "CREDENTIAL_REVOKED" && error.metadata.revoked_by === "narrowed";

type AnyCall = (request: unknown, options?: CallOptions) => Promise<unknown> & AsyncIterable<unknown>;

class ProvenCall {
  readonly #method: DescMethod;
  readonly #call: AnyCall;
  readonly #holder: Holder;
  readonly #peer: string;

  constructor(method: DescMethod, call: AnyCall, holder: Holder, peer: string) {
    this.#method = method;
    this.#call = call;
    this.#holder = holder;
    this.#peer = peer;
  }

  async unary(request: object, options?: CallOptions): Promise<unknown> {
    const message = this.#messageOf(request);
    const tried = new Set<Reason>();
    for (;;) {
      try {
        return await this.#call(message, await this.#proven(message, options));
      } catch (error) {
        if (!(await this.#mended(error, tried))) throw error;
      }
    }
  }

  async *serverStream(request: object, options?: CallOptions): AsyncIterable<unknown> {
    const message = this.#messageOf(request);
    const tried = new Set<Reason>();
    for (;;) {
      let began = false;
      try {
        for await (const part of this.#call(message, await this.#proven(message, options))) {
          began = true;
          yield part;
        }
        return;
      } catch (error) {
        if (began || !(await this.#mended(error, tried))) throw error;
      }
    }
  }

  /**
   * The proof covers a stream's first message, and what follows it can be sent only once. So that message goes ahead alone, with a
   * proof that has no nonce: refused before anything else is looked at, for a nonce that is fresh when the stream begins.
   */
  async *bidiStream(requests: AsyncIterable<object>, options?: CallOptions): AsyncIterable<unknown> {
    const input = requests[Symbol.asyncIterator]();
    const opening = await input.next();
    if (opening.done) throw new Refusal("INVALID_REQUEST", "A stream begins with its head.");
    const head = this.#messageOf(opening.value);
    await this.#askForNonce(head, options);
    const whole = async function* () {
      yield head;
      for (let next = await input.next(); !next.done; next = await input.next()) yield next.value;
    };
    yield* this.#call(whole(), await this.#proven(head, options));
  }

  async #askForNonce(head: Message, options?: CallOptions): Promise<void> {
    const tried = new Set<Reason>();
    const alone = async function* () {
      yield head;
    };
    for (;;) {
      try {
        for await (const _ of this.#call(alone(), await this.#proven(head, options, ""))) break;
        throw new Refusal("INTERNAL", "A proof without a nonce was taken; this is no Sallyport that streams can be sent to.");
      } catch (error) {
        if (!(await this.#mended(error, tried))) throw error;
        if ((error as Refusal).reason === "PROOF_REQUIRED") return;
      }
    }
  }

  #messageOf(init: object): Message {
    return create(this.#method.input, init as never);
  }

  /** @param nonceOf whose nonce the proof carries; nobody ever gave one under the empty name */
  async #proven(message: Message, options: CallOptions = {}, nonceOf = this.#peer): Promise<CallOptions> {
    const { proofs, audience } = this.#holder;
    const credential = await this.#holder.credential(this.#method);
    const proof = proofs.prove({
      htu: `${audience.replace(/\/+$/, "")}/${this.#method.parent.typeName}/${this.#method.name}`,
      request: toBinary(this.#method.input, message),
      credential,
      peer: nonceOf,
    });
    return {
      ...options,
      headers: { ...options.headers, dpop: proof, ...(credential === undefined ? {} : { authorization: `DPoP ${credential}` }) },
      onHeaders: (headers) => {
        this.#remember(headers.get("dpop-nonce"));
        options.onHeaders?.(headers);
      },
    };
  }

  /** Does what a refusal asks for; false where it asks for nothing that can be done, or not again. */
  async #mended(error: unknown, tried: Set<Reason>): Promise<boolean> {
    if (!(error instanceof Refusal) || tried.has(error.reason)) return false;
    tried.add(error.reason);
    switch (error.reason) {
      case "PROOF_REQUIRED":
        return this.#remember(error.metadata["dpop-nonce"]);
      case "CREDENTIAL_REVOKED":
        if (!isNarrowed(error) || this.#method === TokenService.method.renew) return false;
        await this.#holder.renew();
        return true;
      default:
        return false;
    }
  }

  #remember(nonce: string | undefined): boolean {
    if (nonce !== undefined) this.#holder.proofs.remember(nonce, this.#peer);
    return nonce !== undefined;
  }
}
