import { Refusal } from "@sallyport/contracts";
import type { State, StateMark } from "@sallyport/state";
import { epochRaised } from "../evidence/drafts.ts";
import type { Evidence } from "../evidence/evidence.ts";
import { judgeMark } from "./judge-mark.ts";
import type { LastKnown } from "./last-known.ts";

/** Milliseconds between two looks at the state. */
const lookEveryMs = 500;

export interface GuardianOptions {
  readonly state: State;
  readonly lastKnown: LastKnown;
  readonly evidence: Evidence;
  readonly clock: { now(): number };
  /** Called when another generation comes into use. */
  readonly onGeneration: (mark: StateMark) => void;
}

/**
 * Watches whether the state is still the one that credentials were issued under. When it is empty, another, or older than
 * what was seen, it starts a new generation with a higher epoch: every older credential, ticket, review and grant is dead,
 * and that is on record. Until then every replica refuses, as the state itself refuses a generation that is not in use.
 */
export class EpochGuardian {
  readonly #options: GuardianOptions;
  #known: StateMark | undefined;
  #current: StateMark | undefined;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(options: GuardianOptions) {
    this.#options = options;
    this.#known = options.lastKnown.read();
  }

  /** Looks once, then on and on. A state that cannot be reached yet does not fail the start; calls refuse until it can be. */
  static async start(options: GuardianOptions): Promise<EpochGuardian> {
    const guardian = new EpochGuardian(options);
    await guardian.look().catch(() => undefined);
    guardian.#timer = setInterval(() => void guardian.look().catch(() => undefined), lookEveryMs).unref();
    return guardian;
  }

  /** The generation and epoch in force. @throws Refusal STATE_UNAVAILABLE while there is none */
  get current(): StateMark {
    if (this.#current === undefined) {
      throw new Refusal("STATE_UNAVAILABLE", "Which generation of the shared state is in use is not known yet. Try again in a moment.", {
        retryAfterMs: lookEveryMs,
      });
    }
    return this.#current;
  }

  /** Looks at the state now; one look at a time. @throws Refusal where it cannot be reached, or the raise cannot be recorded */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const mark = await this.#options.state.mark();
    const judgement = judgeMark(mark, this.#known);
    if (judgement.kind === "raise") return this.#raise(judgement.above, judgement.why);
    this.#use(mark);
    if (await this.#refusesAsRolledBack()) await this.#raise(mark.epoch, "rolled-back");
  }

  /** The state counts writes between two looks too: it can know that it was rolled back where its mark does not show it. */
  async #refusesAsRolledBack(): Promise<boolean> {
    try {
      await this.#options.state.readLog("revocations", 0, 1);
      return false;
    } catch (error) {
      return error instanceof Refusal && error.metadata.state === "behind";
    }
  }

  async #raise(above: number, why: string): Promise<void> {
    const { state, evidence, clock } = this.#options;
    this.#current = undefined;
    const epoch = Math.max(Math.floor(clock.now()), above + 1);
    const intent = await evidence.intent(epochRaised(epoch, why));
    try {
      this.#use(await state.startGeneration(epoch));
    } catch (error) {
      const sentence = error instanceof Refusal ? error.message : "The new generation could not be started.";
      await intent.outcome(epochRaised(epoch, why, { status: "failure", reason: "STATE_UNAVAILABLE", sentence }));
      throw error;
    }
    await intent.outcome(epochRaised(epoch, why, { status: "success" }));
  }

  #use(mark: StateMark): void {
    const isNew = this.#current?.generation !== mark.generation;
    if (this.#known?.generation !== mark.generation || this.#known.tick !== mark.tick) {
      this.#options.lastKnown.write(mark);
      this.#known = mark;
    }
    if (isNew) {
      this.#options.state.useGeneration(mark.generation, mark.tick);
      this.#options.onGeneration(mark);
    }
    this.#current = mark;
  }
}
