import { Worker } from "node:worker_threads";
import { Refusal } from "@sallyport/contracts";
import { type SamlRule, samlRefused } from "./saml-refusals.ts";

/** A signature to verify, as it crosses to the thread. */
export interface SignatureQuestion {
  readonly xml: string;
  /** Whose signature: the document's root, or the one assertion that is a child of it. */
  readonly of: "root" | "assertion";
  /** PEM. */
  readonly certificates: readonly string[];
}

/** What was signed, or the rule by which it is refused. */
export type SignatureAnswer = { readonly verified: string } | { readonly rule: SamlRule };

interface Job {
  readonly question: SignatureQuestion;
  readonly answer: (answer: SignatureAnswer) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Verifies signatures in a thread of its own, one at a time: everybody may post a response, and while one is canonicalized nothing else
 * would be served, not even the lease that every effect waits for. It starts with the first and is started anew after one that took
 * too long, which costs whoever posts it their own sign-in.
 */
export class SignatureThread {
  readonly #waiting: Job[] = [];
  readonly #limits: { readonly timeoutMs: number; readonly waiting: number };
  #job: Job | undefined;
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param limits milliseconds of one, its thread's start among them; how many may wait */
  constructor(limits = { timeoutMs: 10_000, waiting: 16 }) {
    this.#limits = limits;
  }

  /** @returns what the signature covers @throws Refusal UNAUTHENTICATED with the rule's name; RATE_LIMITED where too many wait */
  async verified(question: SignatureQuestion): Promise<string> {
    if (this.#waiting.length >= this.#limits.waiting)
      throw new Refusal("RATE_LIMITED", "Too many SAML sign-ins are being looked at: try again in a moment.", { retryAfterMs: 2_000 });
    const answer = await new Promise<SignatureAnswer>((resolve, reject) => {
      this.#waiting.push({ question, answer: resolve, fail: reject });
      this.#next();
    });
    if ("rule" in answer) throw samlRefused(answer.rule);
    return answer.verified;
  }

  #next(): void {
    if (this.#job !== undefined) return;
    this.#job = this.#waiting.shift();
    if (this.#job === undefined) return this.#worker?.unref();
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#timer = setTimeout(() => this.#broke(samlRefused("too-slow")), this.#limits.timeoutMs);
    this.#worker.postMessage(this.#job.question);
  }

  #start(): Worker {
    // Nothing of this process is needed there, its environment least of all.
    const worker = new Worker(new URL("./signature-work.ts", import.meta.url), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    const broke = (error: unknown) => {
      if (worker === this.#worker) this.#broke(error);
    };
    worker.on("message", (answer: SignatureAnswer) => {
      if (worker === this.#worker) this.#done()?.answer(answer);
      this.#next();
    });
    worker.on("error", broke);
    worker.on("exit", () => broke(new Error("the thread that verifies signatures ended")));
    return worker;
  }

  #broke(error: unknown): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    this.#done()?.fail(error);
    this.#next();
  }

  #done(): Job | undefined {
    clearTimeout(this.#timer);
    const job = this.#job;
    this.#job = undefined;
    return job;
  }
}
