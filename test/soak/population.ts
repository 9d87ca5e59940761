import { setTimeout as sleep } from "node:timers/promises";
import {
  Action,
  Agent,
  type BindingKind,
  type CeilingInit,
  type Endpoints,
  ProofMaker,
  Refusal,
  readHandover,
  reasons,
  writeHandover,
} from "@sallyport/sdk";
import type { SoakSite } from "./installation.ts";

/** An agent at work, and which broker it turns to first. */
export interface Worker {
  readonly agent: Agent;
  readonly tree: number;
}

/** One agent in so many is bound to a client certificate; the others prove each call. */
const certifiedEvery = 5;
/** Children of one agent. A tree of ten is four generations deep. */
const width = 2;
/** At once: authn takes one after the other anyway. */
const atOnce = 16;
const patienceMs = 30_000;

const child: CeilingInit = {
  entries: [{ actions: [Action.LIST, Action.READ, Action.USE, Action.DELEGATE], secrets: ["prod/orders/read"], targets: ["orders-read"] }],
};

/**
 * Signs the root of each tree in, each of another principal, and has it delegate downwards until there are `agents` in all. Within a
 * tree they turn to both brokers by turns, so that what was issued at one must be masked at the other.
 */
export async function enrolAgents({ site }: SoakSite, { agents, trees }: { agents: number; trees: number }): Promise<Worker[]> {
  const { agents: second, agentsMtls } = site.secondBroker;
  const first: Endpoints = {
    ...site.endpoints,
    broker: `${site.endpoints.broker},${second}`,
    mtls: { authn: site.endpoints.mtls?.authn ?? "", broker: `${site.endpoints.mtls?.broker},${agentsMtls}` },
  };
  const reversed: Endpoints = {
    ...first,
    broker: `${second},${site.endpoints.broker}`,
    mtls: { authn: first.mtls?.authn ?? "", broker: `${agentsMtls},${site.endpoints.mtls?.broker}` },
  };
  const endpointsFor = (place: number) => (place % 2 === 0 ? first : reversed);
  const bindingFor = (place: number): BindingKind => (place % certifiedEvery === 1 ? "mtls" : "dpop");
  const grown = await inTurns(trees, async (tree) => {
    const size = Math.floor(agents / trees) + (tree < agents % trees ? 1 : 0);
    const subjectToken = await site.workloadToken(`pipeline-${tree}`);
    const grove = [await patiently(() => Agent.signIn({ endpoints: endpointsFor(tree), subjectToken, name: "root", ceiling: child }))];
    for (let place = 1; place < size; place++) {
      const parent = grove[Math.floor((place - 1) / width)] as Agent;
      const options = { name: `a${place}`, endpoints: endpointsFor(tree + place), binding: bindingFor(place) };
      grove.push(await patiently(() => childOf(parent, options)));
    }
    return grove.map((agent) => ({ agent, tree }));
  });
  return grown.flat();
}

interface Place {
  readonly name: string;
  readonly endpoints: Endpoints;
  readonly binding: BindingKind;
}

/** A nested agent with a key of its own. It goes by its own endpoints, whichever its parent goes by. */
async function childOf(parent: Agent, { name, endpoints, binding }: Place): Promise<Agent> {
  const key = ProofMaker.generate();
  const { handover } = await parent.delegate({ name, ceiling: child, thumbprint: key.thumbprint });
  const { ticket } = readHandover(handover);
  return Agent.fromTicket(writeHandover({ ...endpoints, ticket }), key, { binding });
}

/** Tries again while the installation says that it cannot just now: so many at once may be too many for the machine. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const until = performance.now() + patienceMs; ; await sleep(200)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refusal) || reasons[error.reason].exit !== 7 || performance.now() > until) throw error;
    }
  }
}

/** All from 0 up to `count`, a few at once. */
export async function inTurns<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results = new Array<T>(count);
  let next = 0;
  const turn = async () => {
    for (let index = next++; index < count; index = next++) results[index] = await work(index);
  };
  await Promise.all(Array.from({ length: Math.min(count, atOnce) }, turn));
  return results;
}
