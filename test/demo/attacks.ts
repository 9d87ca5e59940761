// What a thief, a network in the middle or a careless agent would try. Each call is made by hand, as the SDK would never make it.
import { create, toBinary } from "@bufbuild/protobuf";
import { BrokerService, DescribeRequestSchema, Refusal } from "@sallyport/contracts";
import { type Endpoints, openChannel, ProofMaker, type Session } from "@sallyport/sdk";
import type { GrpcChannel } from "@sallyport/service/client";

const method = BrokerService.method.describe;

/** The same proof twice: the first call is served, the second one must not be. */
export async function replayed(session: Session): Promise<unknown> {
  return withChannel(session.endpoints, async (channel) => {
    await knownNonce(session);
    const request = create(DescribeRequestSchema, { secret: "prod/orders/read" });
    const headers = headersFor(session.proofs, session.endpoints, session.credential.token, toBinary(DescribeRequestSchema, request));
    const client = channel.client(BrokerService);
    await client.describe(request, { headers });
    return client.describe(request, { headers });
  });
}

/** A proof that was made for one message, sent with another. */
export async function otherBody(session: Session): Promise<unknown> {
  return withChannel(session.endpoints, async (channel) => {
    await knownNonce(session);
    const proven = create(DescribeRequestSchema, { secret: "prod/orders/read" });
    const headers = headersFor(session.proofs, session.endpoints, session.credential.token, toBinary(DescribeRequestSchema, proven));
    return channel.client(BrokerService).describe({ secret: "prod/orders/api" }, { headers });
  });
}

/** Somebody else's credential with a key of one's own. */
export async function stolen(endpoints: Endpoints, token: string): Promise<unknown> {
  return withChannel(endpoints, async (channel) => {
    const proofs = ProofMaker.generate();
    const client = channel.client(BrokerService);
    const request = create(DescribeRequestSchema, { secret: "prod/orders/read" });
    const bytes = toBinary(DescribeRequestSchema, request);
    try {
      return await client.describe(request, { headers: headersFor(proofs, endpoints, token, bytes) });
    } catch (error) {
      // A thief learns the nonce like anyone else, and tries again with it.
      const nonce = error instanceof Refusal ? error.metadata["dpop-nonce"] : undefined;
      if (nonce === undefined) throw error;
      proofs.remember(nonce, endpoints.broker);
      return client.describe(request, { headers: headersFor(proofs, endpoints, token, bytes) });
    }
  });
}

/** An honest call first, so that the attack does not fail merely for want of a nonce. */
const knownNonce = (session: Session) => session.broker.describe({ secret: "prod/orders/read" });

function headersFor(proofs: ProofMaker, endpoints: Endpoints, credential: string, request: Uint8Array): Record<string, string> {
  const htu = `${endpoints.audience}/${method.parent.typeName}/${method.name}`;
  return { authorization: `DPoP ${credential}`, dpop: proofs.prove({ htu, request, credential, peer: endpoints.broker }) };
}

async function withChannel<T>(endpoints: Endpoints, run: (channel: GrpcChannel) => Promise<T>): Promise<T> {
  const channel = openChannel(endpoints.broker, endpoints.ca);
  try {
    return await run(channel);
  } finally {
    channel.close();
  }
}
