import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Tracer } from "@opentelemetry/api";
import { type JournalService, Refusal, type ShipRequest, type ShipResponseSchema } from "@sallyport/contracts";
import type { Call, Handlers } from "@sallyport/service";
import { appendSpans } from "../journals/append-spans.ts";
import type { Intake, Writer } from "../journals/intake.ts";
import type { Position } from "../journals/positions.ts";
import type { EvidenceLog } from "../log/evidence-log.ts";
import type { Published } from "../publish/published.ts";

type Answer = MessageInitShape<typeof ShipResponseSchema>;

/**
 * Takes a journal in: says where to resume, then acknowledges what is logged, and what is published as that goes on.
 *
 * @param tracer for a span of each record, in the trace that it tells of
 */
export const journalHandlers = (
  log: Pick<EvidenceLog, "size" | "prove">,
  intake: Intake,
  published: Published,
  tracer?: Tracer,
): Handlers<typeof JournalService> => ({
  ship: (requests, call) => new ShipStream(intake, published, call, tracer).answers(requests),
  prove: async ({ logIndex }) => {
    if (logIndex >= BigInt(log.size))
      throw new Refusal("INVALID_REQUEST", `The evidence log holds ${log.size} records; there is none at that index.`);
    return log.prove(Number(logIndex));
  },
});

class ShipStream {
  readonly #intake: Intake;
  readonly #published: Published;
  readonly #call: Call;
  readonly #tracer: Tracer | undefined;
  readonly #ended = new AbortController();
  #writer: Writer | undefined;
  #checkpoint = "";
  #failure: unknown;
  #done = false;
  #wake = Promise.withResolvers<void>();
  /** Last entries of messages that are logged and not published yet. */
  readonly #waiting: Position[] = [];
  #logged: Position | undefined;
  #publishedSequence = 0n;

  constructor(intake: Intake, published: Published, call: Call, tracer: Tracer | undefined) {
    this.#intake = intake;
    this.#published = published;
    this.#call = call;
    this.#tracer = tracer;
  }

  async *answers(requests: AsyncIterable<ShipRequest>): AsyncGenerator<Answer> {
    const signal = AbortSignal.any([this.#ended.signal, this.#call.signal]);
    const unsubscribe = this.#published.onChange(() => this.#woken());
    signal.addEventListener("abort", () => this.#woken(), { once: true });
    const taking = this.#take(requests, signal).catch((error: unknown) => {
      this.#failure = error;
    });
    void taking.finally(() => {
      this.#done = true;
      this.#woken();
    });
    let told = "";
    try {
      for (;;) {
        const wake = this.#wake.promise;
        const answer = this.#answer();
        const text = answer === undefined ? "" : `${answer.loggedSequence} ${answer.publishedSequence}`;
        if (answer !== undefined && text !== told) {
          told = text;
          yield answer;
          continue;
        }
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#done || signal.aborted) return;
        await wake;
      }
    } finally {
      unsubscribe();
      this.#ended.abort();
      this.#writer?.close();
    }
  }

  async #take(requests: AsyncIterable<ShipRequest>, signal: AbortSignal): Promise<void> {
    for await (const { part } of requests) {
      if (signal.aborted) return;
      if (this.#writer === undefined) {
        if (part.case !== "head") throw new Refusal("INVALID_REQUEST", "The first message names the journal.");
        this.#writer = this.#intake.open(journalIdOf(part.value.journalId, this.#call), part.value.bootKey);
        this.#move(this.#intake.position(this.#writer.journalId), "");
        continue;
      }
      if (part.case !== "entries") throw new Refusal("INVALID_REQUEST", "After the first message only entries follow.");
      await this.#published.room(signal);
      if (signal.aborted) return;
      const { entries } = part.value;
      const logging = this.#intake.accept(this.#writer, entries);
      const { position, checkpoint } = await appendSpans(this.#tracer, this.#writer.journalId, entries, logging);
      this.#move(position, checkpoint);
    }
  }

  #move(position: Position, checkpoint: string): void {
    this.#logged = position;
    this.#checkpoint = checkpoint;
    if (position.sequence > 0n) this.#waiting.push(position);
    this.#woken();
  }

  #answer(): Answer | undefined {
    if (this.#logged === undefined) return undefined;
    while (this.#waiting[0] !== undefined && this.#waiting[0].index < this.#published.size) {
      this.#publishedSequence = (this.#waiting.shift() as Position).sequence;
    }
    return {
      loggedSequence: this.#logged.sequence,
      publishedSequence: this.#publishedSequence,
      logIndex: BigInt(Math.max(0, this.#logged.index)),
      checkpoint: this.#checkpoint,
    };
  }

  #woken(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

/** A service ships its own journals and nobody else's. @throws Refusal INVALID_REQUEST, DENIED_BY_POLICY */
function journalIdOf(id: string, call: Call): string {
  const [, role] = /^(authn|pdp|broker|audit)-[a-z0-9]{8,40}$/.exec(id) ?? [];
  if (role === undefined) throw new Refusal("INVALID_REQUEST", "A journal is named <service>-<random>.");
  if (call.peer.kind === "service" ? call.peer.role !== role : call.door !== "in-process") {
    throw new Refusal("DENIED_BY_POLICY", `Only ${role} ships a journal of that name.`);
  }
  return id;
}
