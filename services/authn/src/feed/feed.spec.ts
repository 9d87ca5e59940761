import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { type FollowRequest, FollowRequestSchema, type FollowResponse, FollowResponseSchema } from "@sallyport/contracts";
import { type Actor, AuthnCore, mayDelegate, nowhere } from "../authn.fixture.ts";

describe("the feed", () => {
  let core: AuthnCore;
  let release: Actor;
  beforeEach(async () => {
    core = await AuthnCore.open();
    release = await core.signIn({ agentName: "release", ceiling: mayDelegate });
  });
  afterEach(() => core.close());

  const revoke = (sid = release.sid) =>
    core.revocations.revoke({ subject: { case: "sessionId", value: sid }, reason: "" }, release.credential, nowhere);

  it("answers the first question with everything: keys, authority, generation, epoch, revocations", async () => {
    await revoke();
    const replica = new Replica(core);
    const answer = await replica.ask(1n);
    assert.equal(answer.question, 1n);
    assert.match(answer.jwks, /credential-1/);
    assert.match(answer.agentCaPem, /BEGIN CERTIFICATE/);
    assert.equal(answer.generation, core.guardian.current.generation);
    assert.equal(Number(answer.epoch), core.guardian.current.epoch);
    assert.deepEqual(
      answer.revocations.map(({ sequence, subject }) => [sequence, subject.value]),
      [[1n, release.sid]],
    );
    replica.hangUp();
  });

  it("leaves keys out of later answers, and tells only what comes after what the replica has", async () => {
    const replica = new Replica(core);
    await replica.ask(1n);
    await revoke();
    const { jwks, agentCaPem, revocations } = await replica.ask(2n, 1n);
    assert.deepEqual({ jwks, agentCaPem, revocations }, { jwks: "", agentCaPem: "", revocations: [] });
    replica.hangUp();
  });

  it("answers with what another authn appended before the question arrived", async () => {
    const replica = new Replica(core);
    await replica.ask(1n);
    await core.state.append("revocations", JSON.stringify({ sessionId: "B".repeat(22), at: new Date().toISOString() }));
    assert.equal((await replica.ask(2n)).revocations.length, 1);
    replica.hangUp();
  });

  it("pushes a revocation without being asked, as an answer to no question", async () => {
    const replica = new Replica(core);
    await replica.ask(1n);
    await revoke();
    const push = await replica.next();
    assert.equal(push.question, 0n);
    assert.equal(push.revocations[0]?.subject.value, release.sid);
    replica.hangUp();
  });

  it("pushes to every stream what one stream's question brought up", async () => {
    const one = new Replica(core);
    const other = new Replica(core);
    await one.ask(1n);
    await other.ask(1n);
    await core.state.append("revocations", JSON.stringify({ sessionId: "B".repeat(22), at: new Date().toISOString() }));
    await one.ask(2n);
    assert.equal((await other.next()).revocations.length, 1);
    one.hangUp();
    other.hangUp();
  });

  it("answers with `state_unavailable` where the state cannot be read, and recovers", async () => {
    const replica = new Replica(core);
    const readLog = core.state.readLog.bind(core.state);
    core.state.readLog = () => Promise.reject(new Error("gone"));
    assert.equal((await replica.ask(1n)).stateUnavailable, true);
    core.state.readLog = readLog;
    const answer = await replica.ask(2n);
    assert.equal(answer.stateUnavailable, false);
    assert.match(answer.jwks, /credential-1/);
    replica.hangUp();
  });

  it("tells a new generation's own revocations from its first on", async () => {
    const replica = new Replica(core);
    await revoke();
    const before = await replica.ask(1n);
    // Lost and replaced underneath: the next look raises the epoch.
    await core.state.startGeneration(core.guardian.current.epoch + 1);
    await core.guardian.look();
    const after = await replica.ask(2n, 0n);
    assert.notEqual(after.generation, before.generation);
    assert.ok(after.epoch > before.epoch);
    assert.deepEqual(after.revocations, []);
    replica.hangUp();
  });

  it("splits what one message would not hold", async () => {
    for (let n = 0; n < 6; n++) await core.state.append("revocations", JSON.stringify({ sessionId: String(n).padStart(22, "0") }));
    const replica = new Replica(core);
    replica.send(1n);
    const first = await replica.next();
    const second = await replica.next();
    assert.deepEqual([first.question, second.question], [0n, 1n]);
    assert.equal(first.revocations.length + second.revocations.length, 6);
    replica.hangUp();
  });

  it("reads the log at most twice for any number of questions at a time", async () => {
    let reads = 0;
    const readLog = core.state.readLog.bind(core.state);
    core.state.readLog = (...given) => {
      reads++;
      return readLog(...given);
    };
    await Promise.all(Array.from({ length: 50 }, () => core.log.readToEnd()));
    assert.ok(reads <= 2, `${reads} reads`);
  });

  it("ends with the stream", async () => {
    const replica = new Replica(core);
    await replica.ask(1n);
    replica.hangUp();
    assert.equal(await replica.ended(), true);
  });
});

class Replica {
  readonly #cut = new AbortController();
  readonly #answers: AsyncIterator<unknown>;
  readonly #questions: FollowRequest[] = [];
  #wake: () => void = () => undefined;

  constructor(core: AuthnCore) {
    this.#answers = core.feed.follow(this.#asked(), this.#cut.signal)[Symbol.asyncIterator]();
  }

  send(question: bigint, afterSequence = 0n): void {
    this.#questions.push(create(FollowRequestSchema, { question, afterSequence }));
    this.#wake();
  }

  async ask(question: bigint, afterSequence = 0n): Promise<FollowResponse> {
    this.send(question, afterSequence);
    for (;;) {
      const answer = await this.next();
      if (answer.question === question) return answer;
    }
  }

  async next(): Promise<FollowResponse> {
    const { value, done } = await this.#answers.next();
    assert.ok(!done);
    return create(FollowResponseSchema, value as FollowResponse);
  }

  async ended(): Promise<boolean> {
    return (await this.#answers.next()).done === true;
  }

  hangUp(): void {
    this.#cut.abort();
  }

  async *#asked(): AsyncIterable<FollowRequest> {
    for (;;) {
      const question = this.#questions.shift();
      if (question !== undefined) yield question;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
