import { setTimeout as sleep } from "node:timers/promises";
import { type Agent, Refusal, reasons } from "@sallyport/sdk";
import { embeddedSite } from "../faults/site.ts";
import { until } from "../support/process/port.ts";
import { startDrip } from "./drip.ts";

/** What a process with all four services holds (RSS, 10⁶ bytes): with nothing to do, and second by second with streams open. */
export interface StreamsMemory {
  readonly idle: number;
  readonly open: readonly number[];
}

/** Uses before it is looked at: what is compiled and kept once is no stream's. */
const warmUp = 300;
const agentsAtWork = 10;
const canary = "kJ8s0QmXw2ZpLr5vTn7bYc4dEf6gHa1uRt9o";

/**
 * Opens uses whose answers never end, each read as it comes with the secret masked in every line.
 * @param seconds how long they are looked at once all are open
 */
export async function memoryOfStreams(streams: number, seconds: number): Promise<StreamsMemory> {
  const drip = await startDrip(`{"entry":17,"by":"${canary}"}`, 1000);
  try {
    const site = await embeddedSite({
      canary,
      configure: (config) => {
        config.targets["orders-read"].baseUrl = drip.url;
      },
    });
    const closing = new AbortController();
    let reading: Promise<void>[] = [];
    try {
      const agents = await Promise.all(Array.from({ length: agentsAtWork }, (_, index) => site.agent(`reader-${index}`)));
      await inTurn(warmUp, (index) => attempt(() => once(agentOf(agents, index), `/v1/orders/${index}`)));
      await sleep(3_000);
      const held = () => site.services.broker.residentMegabytes();
      const idle = held();
      reading = Array.from({ length: streams }, (_, index) => readOn(agentOf(agents, index), `/v1/ledger?stream=${index}`, closing.signal));
      const failed = new Promise<never>((_, reject) => {
        for (const one of reading) one.catch(reject);
      });
      await Promise.race([failed, until(`${streams} open streams`, () => drip.open === streams, 120_000)]);
      const open: number[] = [];
      while (open.length < seconds) {
        await Promise.race([failed, sleep(1_000)]);
        if (drip.open === streams) open.push(held());
      }
      return { idle, open };
    } finally {
      closing.abort();
      await Promise.allSettled(reading);
      await site.stop();
    }
  } finally {
    await drip.stop();
  }
}

const agentOf = (agents: readonly Agent[], index: number) => agents[index % agents.length] as Agent;

const once = (agent: Agent, path: string) => agent.use({ target: "orders-read", path }).then((answer) => answer.text());

async function inTurn(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < count; first += agentsAtWork)
    await Promise.all(Array.from({ length: agentsAtWork }, (_, index) => work(first + index)));
}

/** Reads a stream that does not end, and opens it again where a machine with more to do has it cut. */
async function readOn(agent: Agent, path: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await attempt(async () => {
      const answer = await agent.use({ target: "orders-read", path, signal });
      for await (const piece of answer.body) if (Buffer.from(piece).includes(canary)) throw new Error("a line came with its secret");
    });
  }
}

/** @throws anything but a refusal for the moment */
async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const passing = error instanceof Refusal && (reasons[error.reason].exit === 7 || error.reason === "CANCELLED");
    if (!passing) throw error;
    await sleep(100);
  }
}
