import { setTimeout as sleep } from "node:timers/promises";
import { shuffled } from "../support/random.ts";
import type { RealServers, SoakSite } from "./installation.ts";

/** Something that befalls the installation, and is over when `befall` resolves. */
export interface Fault {
  readonly name: string;
  /** @param downMs how long the part is gone before it is started again */
  befall(downMs: number): Promise<void>;
}

/** What is killed: each broker, Redis, Kafka and OpenBao, which is sealed and loses the brokers' tokens too. */
export function faultsOf({ site }: SoakSite, { redis, kafka, openbao }: RealServers): Fault[] {
  const killed = (name: string, part: { kill(): Promise<void> }, again: () => Promise<void>): Fault => ({
    name: `${name} killed`,
    befall: async (downMs) => {
      await part.kill();
      await sleep(downMs);
      await again();
    },
  });
  const { broker } = site.services;
  const second = site.secondBroker.service;
  return [
    killed("broker-1", broker, () => broker.start()),
    killed("broker-2", second, () => second.start()),
    killed("Redis", redis, () => redis.restart()),
    killed("Kafka", kafka, () => kafka.restart()),
    killed("OpenBao", openbao, () => openbao.restart()),
    {
      name: "OpenBao sealed",
      befall: async (downMs) => {
        await openbao.seal();
        await sleep(downMs);
        await openbao.unseal();
      },
    },
    { name: "OpenBao's tokens revoked", befall: () => openbao.revokeTokens("sallyport-broker") },
  ];
}

/** Draws faults for ever: every kind once before any comes again, in an order of its own each time. */
export function* drawn(faults: readonly Fault[], random: () => number): Generator<Fault, never> {
  for (;;) yield* shuffled(faults, random);
}
