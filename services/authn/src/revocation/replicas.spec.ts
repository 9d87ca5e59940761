import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { State } from "@sallyport/state";
import { leaseMs } from "../../../../packages/service/src/gate/trust-state.ts";
import { randomFrom } from "../../../../test/support/random.ts";
import { AuthnCore } from "../authn.fixture.ts";
import { Authn, ends, type Known, type Living, Replica, someSession, subjectOf } from "./replicas.fixture.ts";

/** `SALLYPORT_TEST_MODEL_STEPS` for more than the slice of every run, `SALLYPORT_TEST_SEED` for another. */
const steps = Number(process.env.SALLYPORT_TEST_MODEL_STEPS ?? 1_500);
const seed = Number(process.env.SALLYPORT_TEST_SEED ?? 20_261_125);

const began = 1_800_000_000_000;

describe("revocations at four replicas, with two authns, random delays and restarts", () => {
  let core: AuthnCore;
  before(async () => {
    core = await AuthnCore.open();
  });
  after(() => core.close());

  it(`who holds a lease knows all that was acknowledged a lease ago, and ends nothing else (seed ${seed}, ${steps} steps)`, async () => {
    const world = await World.begin(core.state, core.feedSources.jwks(), randomFrom(seed));
    for (let step = 0; step < steps; step++) await world.step();
    const { checks, refused, restarts, losses } = world;
    assert.ok(checks > steps && refused > 0 && restarts > 0 && losses > 0, JSON.stringify({ checks, refused, restarts, losses }));
    await world.settle();
    world.stop();
  }).timeout(20_000 + steps * 20);
});

class World {
  readonly #state: State;
  readonly #jwks: string;
  readonly #random: (below: number) => number;
  readonly #replicas = [new Replica(), new Replica(), new Replica(), new Replica()];
  readonly #sessions: Living[] = [];
  #authns: Authn[] = [];
  #generation = { generation: "", epoch: 0 };
  #revoked: Known[] = [];
  #epochs: { epoch: number; since: number }[] = [];
  #now = 0;
  checks = 0;
  refused = 0;
  restarts = 0;
  losses = 0;

  private constructor(state: State, jwks: string, random: (below: number) => number) {
    this.#state = state;
    this.#jwks = jwks;
    this.#random = random;
  }

  static async begin(state: State, jwks: string, random: (below: number) => number): Promise<World> {
    const world = new World(state, jwks, random);
    const mark = await state.startGeneration((await state.mark()).epoch + 1);
    world.#generation = mark;
    world.#epochs.push({ epoch: mark.epoch, since: 0 });
    world.#authns = [new Authn(state, mark, jwks), new Authn(state, mark, jwks)];
    for (const replica of world.#replicas) replica.restart(world.#someAuthn());
    return world;
  }

  async step(): Promise<void> {
    const random = this.#random;
    this.#now += random(60);
    const replica = this.#replicas[random(4)] as Replica;
    const what = random(100);
    if (what < 45) replica.ask(this.#now, random(200));
    else if (what < 60) this.#sessions.push(someSession(random, Math.floor((began + this.#now) / 1000), this.#epoch));
    else if (what < 75) await this.#revoke();
    else if (what < 79) this.#restart(() => replica.restart(this.#someAuthn()));
    else if (what < 82) this.#restart(() => replica.connect(this.#someAuthn()));
    else if (what === 82) this.#restart(() => this.#restartAuthn(random(2)));
    else if (what === 83) await this.#loseState();
    await this.#carry(() => random(random(10) === 0 ? 900 : 150));
    this.#check();
  }

  /** With nothing lost or late any more, all agree with the model. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      this.#now += 2_000;
      for (const replica of this.#replicas) replica.ask(this.#now, 0);
      for (let turns = 0; turns < 3; turns++) await this.#carry(() => 0);
    }
    for (const replica of this.#replicas) assert.equal(replica.state.lease(this.#now).held, true);
    this.#now += leaseMs - 1;
    this.#check(this.#sessions);
  }

  stop(): void {
    for (const replica of this.#replicas) replica.stop();
  }

  get #epoch(): number {
    return this.#epochs.at(-1)?.epoch ?? 0;
  }

  #someAuthn(): Authn {
    return this.#authns[this.#random(2)] as Authn;
  }

  #restart(what: () => void): void {
    this.restarts++;
    what();
  }

  #restartAuthn(which: number): void {
    const gone = this.#authns[which] as Authn;
    this.#authns[which] = new Authn(this.#state, this.#generation, this.#jwks);
    // Its streams are cut; each replica finds one authn again.
    for (const replica of this.#replicas) if (replica.authn === gone) replica.connect(this.#someAuthn());
  }

  async #revoke(): Promise<void> {
    const living = this.#sessions[this.#random(this.#sessions.length)];
    if (living === undefined) return;
    const subject = subjectOf(this.#random, living);
    const at = began + this.#now;
    await this.#someAuthn().log.append({ subject, at: timestampFromMs(at) });
    this.#revoked.push({ subject, at, acknowledged: this.#now });
  }

  /** The state is gone: a new generation with a higher epoch, and every session of before is dead. */
  async #loseState(): Promise<void> {
    this.losses++;
    this.#generation = await this.#state.startGeneration(this.#epoch + 1);
    this.#epochs.push({ epoch: this.#generation.epoch, since: this.#now });
    for (const authn of this.#authns) authn.adopt(this.#generation);
    this.#revoked = [];
    this.#sessions.length = 0;
    this.#sessions.push(someSession(this.#random, Math.floor((began + this.#now) / 1000), this.#epoch - 1));
  }

  async #carry(delay: () => number): Promise<void> {
    for (const replica of this.#replicas) replica.deliverQuestions(this.#now);
    // The state's answers and the streams take their turns; how many does not matter, only that all are done.
    for (const authn of this.#authns) await authn.log.readToEnd();
    for (let turns = 0; turns < 4; turns++) await turn();
    for (const replica of this.#replicas) replica.sendAnswers(this.#now, delay);
    for (const replica of this.#replicas) replica.hear(this.#now);
  }

  #check(sessions = Array.from({ length: 8 }, () => this.#sessions[this.#random(this.#sessions.length)])): void {
    for (const [index, { state }] of this.#replicas.entries()) {
      if (!state.lease(this.#now).held) {
        this.refused++;
        continue;
      }
      for (const living of sessions) {
        if (living === undefined) continue;
        this.checks++;
        const dead = living.epoch !== state.epoch || state.revocations.revokes(living) !== undefined;
        const since = this.#deadSince(living);
        const about = `replica ${index} at ${this.#now} ms: ${JSON.stringify(living.chain.links.map(({ id }) => id))} of epoch ${living.epoch}`;
        if (since !== undefined && since <= this.#now - leaseMs) assert.ok(dead, `${about} was ended at ${since} ms, and acts on`);
        if (dead) assert.ok(since !== undefined || living.epoch > state.epoch, `${about} lives, and is refused`);
      }
    }
  }

  /** By the model: when it was acknowledged that the session is dead. */
  #deadSince(living: Living): number | undefined {
    const raised = this.#epochs.find(({ epoch }) => epoch > living.epoch)?.since;
    const revoked = this.#revoked.filter((known) => ends(known, living)).map(({ acknowledged }) => acknowledged);
    const times = raised === undefined ? revoked : [...revoked, raised];
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
