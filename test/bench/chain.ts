import { Action, Agent, type Endpoints, ProofMaker } from "@sallyport/sdk";

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
