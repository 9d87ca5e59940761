import type { DescService } from "@bufbuild/protobuf";
import { DelegationService, Refusal, TokenService } from "@sallyport/contracts";
import type { CallOptions, Client } from "@sallyport/service/client";

/**
 * A client for a holder whose calls are made with a certificate, save those by which one is had: to sign in and to redeem a
 * ticket are proven by the key, and so is a renewal once the certificate has ended with its credential.
 */
export function provenWithoutCertificate<S extends DescService>(service: S, certified: Client<S>, proven: Client<S>): Client<S> {
  switch (service as DescService) {
    case TokenService:
      return { ...certified, ...tokenCalls(certified as Client<typeof TokenService>, proven as unknown as Client<typeof TokenService>) };
    case DelegationService:
      return { ...certified, redeemTicket: (proven as unknown as Client<typeof DelegationService>).redeemTicket };
    default:
      return certified;
  }
}

const tokenCalls = (
  certified: Client<typeof TokenService>,
  proven: Client<typeof TokenService>,
): Pick<Client<typeof TokenService>, "exchange" | "renew"> => ({
  exchange: proven.exchange,
  renew: async (request, options?: CallOptions) => {
    try {
      return await certified.renew(request, options);
    } catch (error) {
      if (!(error instanceof Refusal) || !certificateEnded.has(error.reason)) throw error;
      return proven.renew(request, options);
    }
  },
});

/** What an ended certificate looks like from here: TLS lets no connection be made with it, and an older one is told. Renewing twice does no harm. */
const certificateEnded: ReadonlySet<string> = new Set(["TARGET_UNAVAILABLE", "CREDENTIAL_EXPIRED"]);
