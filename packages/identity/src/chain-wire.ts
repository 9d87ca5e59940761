import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Chain as ChainMessage, type ChainSchema, LinkKind as WireKind } from "@sallyport/contracts";
import { type Chain, chainOf, type LinkKind } from "./chain.ts";

const toKind = { person: WireKind.PERSON, service: WireKind.SERVICE, pipeline: WireKind.PIPELINE, agent: WireKind.AGENT } as const;
const fromKind = new Map<WireKind, LinkKind>(Object.entries(toKind).map(([name, wire]) => [wire, name as LinkKind]));

/** A chain as `sallyport.chain.v1.Chain`. */
export const chainToWire = (chain: Chain) =>
  ({
    links: chain.links.map((link) => ({ id: link.id, kind: toKind[link.kind], sessionId: link.sid, owner: link.owner ?? "" })),
    groups: [...chain.groups],
  }) satisfies MessageInitShape<typeof ChainSchema>;

/** A chain from a message, where a kind that is absent or unknown is refused. @throws Refusal INVALID_REQUEST */
export const chainFromWire = (message: ChainMessage | undefined): Chain =>
  chainOf(
    (message?.links ?? []).map((link) => ({
      id: link.id,
      // An absent or unknown kind goes on as what it is, to be refused with every other bad kind.
      kind: fromKind.get(link.kind) ?? ("unspecified" as LinkKind),
      sid: link.sessionId,
      ...(link.owner === "" ? {} : { owner: link.owner }),
    })),
    message?.groups ?? [],
  );
