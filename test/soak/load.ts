import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Agent, Refusal, type Session, useSecret } from "@sallyport/sdk";
import { tricks } from "../demo/hostile-api.ts";
import type { Answers } from "./answers.ts";
import type { Worker } from "./population.ts";
import type { Timeline } from "./timeline.ts";

/** A use in its kind: plain ones, ones whose target hands the secret back in some way, and streams that are given up in the middle. */
interface Kind {
  readonly path: (name: string) => string;
  /** Whether its end depends on the installation alone. */
  readonly timed: boolean;
  /** How many pieces of the answer are read; all unless said. */
  readonly pieces?: number;
}

const order: Kind = { path: (name) => `/v1/orders/${name}`, timed: true };
const echoes = Object.keys(tricks).map(
  (trick): Kind => ({ path: (name) => `/v1/echo/${trick}?n=${name}`, timed: trick !== "split-in-chunks" }),
);
const ledger: Kind = { path: (name) => `/v1/ledger?n=${name}`, timed: false, pieces: 5 };

const timeoutMs = 10_000;

/** Agents at work: each waits a while, uses the secret, looks at what came back, and goes on, whatever befalls the installation. */
export class Load {
  /** Paths of the uses that agents were told succeeded. */
  readonly succeeded = new Set<string>();
  /** What no fault of another explains. */
  readonly unexpected: string[] = [];
  readonly #timeline: Timeline;
  readonly #answers: Answers;
  readonly #random: () => number;
  #uses = 0;
  #working = true;

  constructor(timeline: Timeline, answers: Answers, random: () => number) {
    this.#timeline = timeline;
    this.#answers = answers;
    this.#random = random;
  }

  /** Until {@link Load.end}. @param rate uses a second by all of them together */
  async work(workers: readonly Worker[], rate: number): Promise<void> {
    const pauseMs = (workers.length / rate) * 1000;
    await Promise.all(
      workers.map(async ({ agent }) => {
        while (this.#working) {
          await this.#pause(pauseMs * 2 * this.#random());
          if (this.#working) await this.use(agent.session, this.#drawn());
        }
      }),
    );
  }

  end(): void {
    this.#working = false;
  }

  /** One use, to its end. @returns `done`, or the reason of its refusal */
  async use(session: Session, kind: Kind = order): Promise<string> {
    const path = kind.path(`soak-${++this.#uses}`);
    const began = performance.now();
    try {
      const answer = await useSecret(session.broker, { target: "orders-read", path, timeoutMs });
      const body = kind.pieces === undefined ? await answer.text() : await begin(answer.body, kind.pieces);
      this.#answers.answer(path, answer, body);
      if (kind.pieces === undefined) this.succeeded.add(path);
      this.#timeline.done(kind.timed ? performance.now() - began : undefined);
      return "done";
    } catch (error) {
      assert.ok(error instanceof Refusal, `not a refusal: ${(error as Error).stack}`);
      this.#answers.text(path, JSON.stringify([error.reason, error.message, error.metadata]));
      this.#timeline.refused(error.reason);
      if (!explained.has(error.reason)) this.unexpected.push(`${path}: ${error.reason}: ${error.message}`);
      return error.reason;
    }
  }

  #drawn(): Kind {
    const drawn = this.#random();
    if (drawn < 0.6) return order;
    if (drawn < 0.9) return echoes[Math.floor(this.#random() * echoes.length)] as Kind;
    return ledger;
  }

  /** In steps, so that the end is not waited for. */
  async #pause(ms: number): Promise<void> {
    for (const until = performance.now() + ms; this.#working && performance.now() < until; )
      await sleep(Math.max(0, Math.min(250, until - performance.now())));
  }
}

/** What a broker, a Redis, a Kafka or an OpenBao that is gone may make of a use. */
const explained: ReadonlySet<string> = new Set([
  "STATE_UNAVAILABLE",
  "STORE_UNAVAILABLE",
  "AUDIT_UNAVAILABLE",
  "POLICY_UNAVAILABLE",
  // The broker itself is gone: before the request left the agent, or after.
  "TARGET_UNAVAILABLE",
  "OUTCOME_UNKNOWN",
  "MASKING_UNAVAILABLE",
  "CANCELLED",
]);

async function begin(body: AsyncIterable<Uint8Array>, pieces: number): Promise<string> {
  const read: Uint8Array[] = [];
  for await (const piece of body) if (read.push(piece) === pieces) break;
  return Buffer.concat(read).toString("utf8");
}

/** The same holder of the same key, at one broker only. */
export function pinned(agent: Agent, broker: string, SessionAt: typeof Session): Session {
  const { session } = agent;
  return new SessionAt({ ...session.endpoints, broker }, session.proofs, session.credential);
}
