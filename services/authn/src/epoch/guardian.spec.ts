import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "@sallyport/contracts";
import { openState, type State } from "@sallyport/state";
import { EvidenceInMemory, refuses, ShiftedClock } from "../authn.fixture.ts";
import { EpochGuardian } from "./guardian.ts";
import { judgeMark } from "./judge-mark.ts";
import { LastKnown } from "./last-known.ts";

describe("the guardian of the epoch", () => {
  const clock = new ShiftedClock();
  let dataDir: string;
  let evidence: EvidenceInMemory;
  let generations: string[];
  const guardians: EpochGuardian[] = [];
  const states: State[] = [];
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "sallyport-epoch-"));
    evidence = new EvidenceInMemory();
    generations = [];
  });
  afterEach(async () => {
    for (const guardian of guardians.splice(0)) guardian.stop();
    for (const state of states.splice(0)) await state.close();
    rmSync(dataDir, { recursive: true });
  });

  const state = async () => {
    const opened = await openState("sqlite", { dataDir, clock });
    states.push(opened);
    return opened;
  };
  const guard = async (shared: State, folder = "authn") => {
    const onGeneration = ({ generation }: { generation: string }) => void generations.push(generation);
    const guardian = await EpochGuardian.start({
      state: shared,
      lastKnown: new LastKnown(join(dataDir, folder)),
      evidence,
      clock,
      onGeneration,
    });
    guardians.push(guardian);
    return guardian;
  };

  it("begins an empty state with an epoch of its own, on record", async () => {
    const guardian = await guard(await state());
    assert.ok(guardian.current.epoch >= Date.now() - 60_000);
    assert.deepEqual(evidence.events, ["state.new-epoch intent", "state.new-epoch success"]);
  });

  it("keeps the epoch over a restart", async () => {
    const shared = await state();
    const { epoch } = (await guard(shared)).current;
    assert.equal((await guard(shared)).current.epoch, epoch);
    assert.equal(evidence.events.length, 2);
  });

  it("raises the epoch when the state comes back empty", async () => {
    const shared = await state();
    const { epoch, generation } = (await guard(shared)).current;
    for (const one of states.splice(0)) await one.close();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(dataDir, `state.db${suffix}`), { force: true });
    const { current } = await guard(await state());
    assert.ok(current.epoch > epoch);
    assert.notEqual(current.generation, generation);
    assert.equal(evidence.drafts.at(-1)?.facts.details?.why, "empty");
  });

  it("raises the epoch when the state comes back older than it was seen", async () => {
    const shared = await state();
    const guardian = await guard(shared);
    const { epoch } = guardian.current;
    await shared.append("revocations", "{}");
    await shared.close();
    copyFileSync(join(dataDir, "state.db"), join(dataDir, "old.db"));
    const later = await state();
    await guard(later);
    await later.append("revocations", "{}");
    const second = await guard(later);
    await second.look();
    await later.close();
    states.length = 0;
    for (const suffix of ["-wal", "-shm"]) rmSync(join(dataDir, `state.db${suffix}`), { force: true });
    copyFileSync(join(dataDir, "old.db"), join(dataDir, "state.db"));
    const { current } = await guard(await state());
    assert.ok(current.epoch > epoch);
    assert.equal(evidence.drafts.at(-1)?.facts.details?.why, "rolled-back");
  });

  it("raises the epoch when only the state's own client knows that it went back", async () => {
    const shared = await state();
    const guardian = await guard(shared);
    const { epoch } = guardian.current;
    const readLog = shared.readLog.bind(shared);
    shared.readLog = () => Promise.reject(new Refusal("STATE_UNAVAILABLE", "It went back.", { metadata: { state: "behind" } }));
    await guardian.look();
    shared.readLog = readLog;
    assert.ok(guardian.current.epoch > epoch);
  });

  it("raises nothing while the state only cannot be reached", async () => {
    const shared = await state();
    const guardian = await guard(shared);
    const { epoch } = guardian.current;
    shared.readLog = () => Promise.reject(new Refusal("STATE_UNAVAILABLE", "Gone.", { metadata: { state: "unreachable" } }));
    await guardian.look();
    shared.mark = () => Promise.reject(new Refusal("STATE_UNAVAILABLE", "Gone.", { metadata: { state: "unreachable" } }));
    await refuses("STATE_UNAVAILABLE", guardian.look());
    assert.equal(guardian.current.epoch, epoch);
  });

  it("follows another authn that raised it first, without raising it again", async () => {
    const shared = await state();
    const guardian = await guard(shared);
    const { epoch } = await (await state()).startGeneration(guardian.current.epoch + 5);
    await guardian.look();
    assert.equal(guardian.current.epoch, epoch);
    assert.equal(evidence.events.length, 2);
    assert.equal(generations.length, 2);
    await shared.append("revocations", "{}");
  });

  it("refuses, and raises nothing, where the raise cannot be put on record; then recovers by itself", async () => {
    evidence.full = true;
    const guardian = await guard(await state());
    assert.throws(() => guardian.current, { reason: "STATE_UNAVAILABLE" });
    await refuses("AUDIT_UNAVAILABLE", guardian.look());
    evidence.full = false;
    await guardian.look();
    assert.ok(guardian.current.epoch > 0);
  });

  it("does not take a damaged memory for a first start", async () => {
    const shared = await state();
    await guard(shared);
    const file = join(dataDir, "authn", "last-known-state.json");
    assert.match(readFileSync(file, "utf8"), /generation/);
    writeFileSync(file, "{}");
    await assert.rejects(guard(shared), /damaged/);
  });

  it("judges a mark by what was seen before", () => {
    const mark = { generation: "g", epoch: 5, tick: 10 };
    assert.deepEqual(judgeMark(mark, mark), { kind: "same" });
    assert.deepEqual(judgeMark({ ...mark, tick: 11 }, mark), { kind: "same" });
    assert.deepEqual(judgeMark({ ...mark, tick: 9 }, mark), { kind: "raise", why: "rolled-back", above: 5 });
    assert.deepEqual(judgeMark({ ...mark, generation: "h" }, mark), { kind: "raise", why: "other-generation", above: 5 });
    assert.deepEqual(judgeMark({ ...mark, epoch: 4 }, mark), { kind: "raise", why: "other-generation", above: 5 });
    assert.deepEqual(judgeMark({ ...mark, generation: "h", epoch: 6 }, mark), { kind: "adopt" });
    assert.deepEqual(judgeMark(mark, undefined), { kind: "adopt" });
    assert.deepEqual(judgeMark({ generation: "", epoch: 0, tick: 0 }, mark), { kind: "raise", why: "empty", above: 5 });
  });
});
