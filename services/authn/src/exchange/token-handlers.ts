import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { TokenService } from "@sallyport/contracts";
import { ceilingFromWire, ceilingToWire, chainToWire } from "@sallyport/identity";
import type { Call, Gate, Handlers } from "@sallyport/service";
import type { Evidence } from "../evidence/evidence.ts";
import { recorded } from "../evidence/recorded.ts";
import type { Renewal } from "../sessions/renewal.ts";
import { protocolOf } from "../trust/outside-identities.ts";
import type { Exchange } from "./exchange.ts";
import { parseExchange } from "./parse-exchange.ts";

/** TokenService: sign in, stay signed in, and who am I. */
export function tokenHandlers(gate: Gate, exchange: Exchange, renewal: Renewal, evidence: Evidence): Handlers<typeof TokenService> {
  return {
    exchange: (request, call) =>
      recorded(evidence, "session.start", call, async (story) => {
        story.protocol = protocolOf(request.subjectTokenType);
        const { thumbprint, publicJwk } = await gate.prove(call);
        story.origin = { ...story.origin, thumbprint };
        return {
          credential: await exchange.exchange(
            { ...parseExchange(request), certificate: certificateOf(call) },
            { thumbprint, publicJwk },
            story.origin,
          ),
        };
      }),
    renew: (request, call) =>
      recorded(evidence, "session.renew", call, async (story) => {
        const caller = await gate.authenticateForRenewal(call);
        story.chain = caller.chain;
        story.origin = { ...story.origin, thumbprint: caller.key ?? caller.thumbprint };
        const narrower = request.ceiling === undefined ? undefined : ceilingFromWire(request.ceiling);
        return { credential: await renewal.renew(caller.sid, narrower, caller.key, story.origin) };
      }),
    whoAmI: (_request, call) =>
      recorded(evidence, "session.who-am-i", call, async () => {
        const { chain, ceiling, credential, thumbprint } = await gate.authenticate(call);
        return {
          chain: chainToWire(chain),
          ceiling: ceilingToWire(ceiling),
          expiresAt: timestampFromMs(credential.expiresAt * 1000),
          thumbprint,
          sessionEndsAt: timestampFromMs(credential.sessionEndsAt * 1000),
        };
      }),
  };
}

const certificateOf = ({ peer }: Call): string | undefined => (peer.kind === "certificate" ? peer.thumbprint : undefined);
