import { setTimeout as sleep } from "node:timers/promises";
import { Agent, type Person, ProofMaker } from "@sallyport/sdk";
import { orders, type Site } from "../site.ts";
import { read, told } from "../told.ts";

/** Somebody at work, who signs in again by themselves when their credential is dead. */
export interface Worker {
  readonly name: string;
  /** What they were told at each turn, and when it was told (epoch milliseconds). */
  readonly turns: { readonly outcome: string; readonly at: number }[];
  /** How often they had to sign in. */
  signIns: number;
}

/** People and agents at work, without an operator. */
export class AtWork {
  readonly workers: Worker[] = [];
  /** Paths of uses that an agent was told succeeded. */
  readonly succeeded: string[] = [];
  readonly #site: Site;
  readonly #running: Promise<void>[] = [];
  #over = false;

  constructor(site: Site) {
    this.#site = site;
  }

  /** An agent that uses a secret again and again. */
  user(name: string, pauseMs: number): void {
    this.#work(
      name,
      pauseMs,
      () => this.#site.agent(name),
      async (agent: Agent, turn) => this.#use(agent, `/v1/orders/${name}-${turn}`),
    );
  }

  /** An agent that starts a child at each turn, which uses the secret once. */
  delegator(name: string, pauseMs: number): void {
    this.#work(
      name,
      pauseMs,
      () => this.#site.agent(name),
      async (parent: Agent, turn) => {
        const key = ProofMaker.generate();
        const { handover } = await parent.delegate({ name: `child-${turn}`, thumbprint: key.thumbprint, ceiling: orders });
        const child = await Agent.fromTicket(handover, key);
        try {
          await this.#use(child, `/v1/orders/${name}-child-${turn}`);
        } finally {
          child.close();
        }
      },
    );
  }

  /** A person who looks what waits for them. */
  person(name: string, pauseMs: number): void {
    this.#work(
      name,
      pauseMs,
      () => this.#site.person(name, ["release-approvers"]),
      (person: Person) => person.reviews(),
    );
  }

  /** Milliseconds from `since` until each of them had done something that began after it. @throws where one has not within `timeoutMs` */
  async allWorkSince(since: number, timeoutMs: number): Promise<number> {
    for (;;) {
      const first = this.workers.map(({ turns }) => turns.find(({ outcome, at }) => outcome === "done" && at > since)?.at);
      const last = Math.max(...first.map((at) => at ?? Number.POSITIVE_INFINITY));
      if (last !== Number.POSITIVE_INFINITY) return last - since;
      if (Date.now() - since > timeoutMs) {
        const idle = this.workers.filter((_, at) => first[at] === undefined);
        throw new Error(`not at work ${timeoutMs} ms later: ${idle.map(({ name, turns }) => `${name} (${turns.at(-1)?.outcome})`).join()}`);
      }
      await sleep(25);
    }
  }

  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running);
  }

  async #use(agent: Agent, path: string): Promise<void> {
    await read(agent, path);
    this.succeeded.push(path);
  }

  #work<T extends { close(): void }>(
    name: string,
    pauseMs: number,
    signIn: () => Promise<T>,
    turn: (self: T, count: number) => Promise<unknown>,
  ): void {
    const worker: Worker = { name, turns: [], signIns: 0 };
    this.workers.push(worker);
    const run = async () => {
      let self: T | undefined;
      for (let count = 1; !this.#over; count++) {
        const outcome = await told(async () => {
          if (self === undefined) {
            self = await signIn();
            worker.signIns++;
          }
          await turn(self, count);
        });
        worker.turns.push({ outcome, at: Date.now() });
        if (dead.has(outcome)) self = undefined;
        await sleep(outcome === "done" ? pauseMs : 50);
      }
    };
    this.#running.push(run());
  }
}

/** What tells a holder that only signing in again helps. */
const dead: ReadonlySet<string> = new Set(["CREDENTIAL_REVOKED", "CREDENTIAL_EXPIRED"]);
