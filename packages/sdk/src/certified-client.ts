import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type Credential, Refusal, TokenService } from "@sallyport/contracts";
import type { CallOptions, Client } from "@sallyport/service/client";
import type { LentChannel } from "./certified-channels.ts";
import { isNarrowed } from "./proven-client.ts";

/** Who calls with a certificate. */
export interface CertifiedHolder {
  /** The credential to call a method with, renewed where it nears its end; undefined before sign-in. */
  credential(method: DescMethod): Promise<Credential | undefined>;
  /** Has it renewed at once. */
  renew(): Promise<unknown>;
  /** A connection that shows the certificate that the credential is bound to. */
  connect(credential: Credential): LentChannel;
}

/**
 * A client whose calls carry the credential as it is, on a connection that shows its certificate (RFC 8705 §3): nothing is
 * signed for a call. One that is refused for a ceiling that was narrowed is renewed and made again, once, unless it is a
 * stream whose messages are gone.
 */
export function certifiedClient<S extends DescService>(service: S, holder: CertifiedHolder): Client<S> {
  const lend = async (method: DescMethod, options: CallOptions = {}) => {
    const credential = await holder.credential(method);
    if (credential === undefined) throw new Refusal("UNAUTHENTICATED", "Sign in first.");
    const channel = holder.connect(credential);
    const authorization = `Bearer ${credential.token}`;
    return { channel, options: { ...options, headers: { ...options.headers, authorization } } };
  };
  const calls = service.methods.map((method) => {
    const { localName, methodKind } = method;
    const callOf = (channel: LentChannel) => (channel.client(service) as unknown as Record<string, AnyCall>)[localName] as AnyCall;

    const unary = async (request: unknown, given?: CallOptions, again = method !== TokenService.method.renew): Promise<unknown> => {
      const { channel, options } = await lend(method, given);
      try {
        return await callOf(channel)(request, options);
      } catch (error) {
        if (!again || !isNarrowed(error)) throw error;
      } finally {
        channel.giveBack();
      }
      await holder.renew();
      return unary(request, given, false);
    };

    async function* stream(request: unknown, given?: CallOptions, again = methodKind === "server_streaming"): AsyncIterable<unknown> {
      const { channel, options } = await lend(method, given);
      let began = false;
      try {
        for await (const part of callOf(channel)(request, options)) {
          began = true;
          yield part;
        }
        return;
      } catch (error) {
        if (began || !again || !isNarrowed(error)) throw error;
      } finally {
        channel.giveBack();
      }
      await holder.renew();
      yield* stream(request, given, false);
    }

    return [localName, methodKind === "unary" || methodKind === "client_streaming" ? unary : stream];
  });
  return Object.fromEntries(calls) as Client<S>;
}

type AnyCall = (request: unknown, options?: CallOptions) => Promise<unknown> & AsyncIterable<unknown>;
