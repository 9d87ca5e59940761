import { Binding } from "@sallyport/contracts";
import { Action, Agent, type Endpoints, idTokenType, ProofMaker, readHandover, Session } from "@sallyport/sdk";

const ceiling = { entries: [{ actions: [Action.USE, Action.DELEGATE], secrets: ["prod/orders/*"], targets: ["orders-read"] }] };

/** Agents nested as deep as asked, the last of which is returned; each has a key of its own, all in this process. */
export async function chainOf(depth: number, endpoints: Endpoints, subjectToken: string): Promise<Agent> {
  let agent = await Agent.signIn({ endpoints, subjectToken, name: "a1", ceiling });
  for (let level = 2; level <= depth; level++) {
    const key = ProofMaker.generate();
    const { handover } = await agent.delegate({ name: `a${level}`, thumbprint: key.thumbprint, ceiling });
    const child = await Agent.fromTicket(handover, key);
    agent.close();
    agent = child;
  }
  return agent;
}

/** The last of such a chain with a credential that is bound to a client certificate (RFC 8705): nothing is signed for a call. */
export async function certifiedChainOf(depth: number, endpoints: Endpoints, subjectToken: string) {
  const key = ProofMaker.generate();
  const session = new Session(endpoints, key);
  const issued = async () => {
    if (depth === 1) {
      const name = { agentName: "a1", ceiling, binding: Binding.MTLS };
      return (await session.tokens.exchange({ subjectToken, subjectTokenType: idTokenType, ...name })).credential;
    }
    const parent = await chainOf(depth - 1, endpoints, subjectToken);
    const { handover } = await parent.delegate({ name: `a${depth}`, thumbprint: key.thumbprint, ceiling });
    parent.close();
    return (await session.delegations.redeemTicket({ ticket: readHandover(handover).ticket, binding: Binding.MTLS })).credential;
  };
  const credential = await issued();
  session.close();
  return {
    token: credential?.token ?? "",
    client: { certificate: credential?.certificateChainPem ?? "", key: key.privateKey.export({ type: "pkcs8", format: "pem" }) },
  };
}
