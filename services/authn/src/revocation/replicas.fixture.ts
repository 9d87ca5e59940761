import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type FollowRequest, FollowRequestSchema, FollowResponseSchema, type Revocation } from "@sallyport/contracts";
import { type Credential, chainOf, type Link, newSessionId } from "@sallyport/identity";
import type { State } from "@sallyport/state";
import { TrustState } from "../../../../packages/service/src/gate/trust-state.ts";
import { Feed } from "../feed/feed.ts";
import { RevocationLog } from "./revocation-log.ts";

/** One authn replica: the real log and feed over the shared state. Another after a restart. */
export class Authn {
  readonly log: RevocationLog;
  readonly feed: Feed;
  #generation: { generation: string; epoch: number };

  constructor(state: State, mark: { generation: string; epoch: number }, jwks: string) {
    this.log = new RevocationLog(state);
    this.#generation = mark;
    const guardian = { look: async () => undefined };
    Object.defineProperty(guardian, "current", { get: () => ({ ...this.#generation, tick: 0 }) });
    this.feed = new Feed({ revocations: this.log, guardian: guardian as never, jwks: () => jwks, agentCaPem: "ca" }, 3);
  }

  adopt(mark: { generation: string; epoch: number }): void {
    this.#generation = mark;
    this.log.startAnew();
  }
}

type Sent = MessageInitShape<typeof FollowResponseSchema>;

/** One replica of any service: what it knows, and its stream to an authn with a delay on each message. */
export class Replica {
  state = new TrustState();
  /** Whose stream it follows. */
  authn: Authn | undefined;
  #cut = new AbortController();
  #questions: FollowRequest[] = [];
  #wake: () => void = () => undefined;
  /** On their way, in the order in which they arrive. */
  #toAuthn: { at: number; message: FollowRequest }[] = [];
  #toReplica: { at: number; message: Sent }[] = [];
  #answered: Sent[] = [];

  connect(authn: Authn): void {
    this.authn = authn;
    this.#cut.abort();
    this.#cut = new AbortController();
    this.state.disconnected();
    this.#questions = [];
    this.#toAuthn = [];
    this.#toReplica = [];
    this.#answered = [];
    const { signal } = this.#cut;
    const answered = this.#answered;
    void (async () => {
      for await (const answer of authn.feed.follow(this.#asked(signal), signal)) answered.push(answer);
    })();
  }

  /** A process that begins again knows nothing. */
  restart(authn: Authn): void {
    this.state = new TrustState();
    this.connect(authn);
  }

  ask(now: number, delay: number): void {
    enqueue(this.#toAuthn, now + delay, create(FollowRequestSchema, this.state.ask(now)));
  }

  /** What has arrived at authn by now. */
  deliverQuestions(now: number): void {
    this.#questions.push(...arrived(this.#toAuthn, now));
    this.#wake();
  }

  /** What authn has said goes on its way, each message after the one before. */
  sendAnswers(now: number, delay: () => number): void {
    for (const message of this.#answered.splice(0)) enqueue(this.#toReplica, now + delay(), message);
  }

  hear(now: number): void {
    for (const message of arrived(this.#toReplica, now)) this.state.hear(create(FollowResponseSchema, message));
  }

  get undelivered(): number {
    return this.#toAuthn.length + this.#toReplica.length + this.#answered.length + this.#questions.length;
  }

  stop(): void {
    this.#cut.abort();
  }

  async *#asked(signal: AbortSignal): AsyncIterable<FollowRequest> {
    while (!signal.aborted) {
      const question = this.#questions.shift();
      if (question !== undefined) yield question;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

function enqueue<T>(queue: { at: number; message: T }[], at: number, message: T): void {
  queue.push({ at: Math.max(at, queue.at(-1)?.at ?? 0), message });
}

function arrived<T>(queue: { at: number; message: T }[], now: number): T[] {
  const count = queue.findIndex(({ at }) => at > now);
  return queue.splice(0, count < 0 ? queue.length : count).map(({ message }) => message);
}

/** A session, as much as a revocation can match. */
export type Living = Pick<Credential, "chain" | "sessionStarts" | "issuedAt" | "provider"> & { readonly epoch: number };

/** Some trees of sessions at three providers; agents of one name come again and again. */
export function someSession(random: (below: number) => number, second: number, epoch: number): Living {
  const provider = `idp-${random(3)}`;
  const links: Link[] = [{ id: `${provider}/user-${random(4)}`, kind: "person", sid: newSessionId() }];
  for (let depth = random(4); depth > 0; depth--) {
    const parent = (links.at(-1) as Link).id;
    links.push({ id: `${parent}${parent.includes("#") ? "/" : "#"}agent-${random(3)}`, kind: "agent", sid: newSessionId() });
  }
  const began = second - random(3);
  return { chain: chainOf(links), sessionStarts: links.map(() => began), issuedAt: second, provider, epoch };
}

/** What the model knows of one revocation. */
export interface Known {
  readonly subject: Revocation["subject"];
  /** Epoch milliseconds of the revocation. */
  readonly at: number;
  /** When it was acknowledged, virtual milliseconds. */
  readonly acknowledged: number;
}

/** The rule, read naively from the contract: does this revocation end this session? */
export function ends({ subject, at }: Known, { chain, sessionStarts, provider }: Living): boolean {
  const root = (sessionStarts[0] as number) * 1000;
  switch (subject.case) {
    case "sessionId":
      return chain.links.some(({ sid }) => sid === subject.value);
    case "agent":
      return chain.links.some(({ id }, index) => id === subject.value && (sessionStarts[index] as number) * 1000 < at);
    case "principal":
      return chain.links[0].id === subject.value && root < at;
    case "provider":
      return provider === subject.value && root < at;
    case "startedBefore":
      return root < timestampMs(subject.value);
    default:
      return false;
  }
}

/** Something of this session to revoke. */
export function subjectOf(random: (below: number) => number, { chain, provider, sessionStarts }: Living): Revocation["subject"] {
  const link = chain.links[random(chain.links.length)] as Link;
  switch (random(12)) {
    case 0:
      return { case: "principal", value: chain.links[0].id };
    case 1:
      return { case: "provider", value: provider };
    case 2:
      return { case: "startedBefore", value: timestampFromMs((sessionStarts[0] as number) * 1000) };
    case 3:
    case 4:
      return link.kind === "agent" ? { case: "agent", value: link.id } : { case: "sessionId", value: link.sid };
    default:
      return { case: "sessionId", value: link.sid };
  }
}
