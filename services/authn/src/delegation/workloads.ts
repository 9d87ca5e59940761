import type { State } from "@sallyport/state";
import type { Times } from "../sessions/live-second.ts";
import { bindToken } from "../trust/token-binding.ts";
import type { TrustProviders } from "../trust/trust-providers.ts";

/** Whose workload a token proves, `<provider>/<subject>`, for the key that shows it. @throws Refusal UNAUTHENTICATED, INVALID_REQUEST */
export type Workloads = (token: string, tokenType: string, thumbprint: string) => Promise<string>;

/** By the configured trust providers, under the rules of every outside token: it stays with the key that showed it first. */
export const workloadsOf =
  (providers: Pick<TrustProviders, "verify">, state: State, times: Times): Workloads =>
  async (token, tokenType, thumbprint) => {
    const identity = await providers.verify(token, tokenType);
    await bindToken(state, identity, thumbprint, times);
    return identity.principal;
  };
