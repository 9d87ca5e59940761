import assert from "node:assert/strict";
import fc from "fast-check";
import { someRecords, TestLog } from "./log.fixture.ts";
import { verifyLog } from "./verify-log.ts";

const records = someRecords(30);

function findingOf(log: TestLog, lines?: string[][], outsideCheckpoint?: string) {
  const verification = verifyLog(log.files(lines), { key: log.signer, outsideCheckpoint });
  assert.equal(verification.kind, "altered", verification.sentence);
  return (verification as Extract<typeof verification, { kind: "altered" }>).finding;
}

/** Changes one segment's file. */
function withSegment(log: TestLog, segment: number, change: (lines: string[]) => string[]): string[][] {
  return log.bySegment().map((lines, at) => (at === segment ? change([...lines]) : lines));
}

describe("verifying an evidence log (AUDT-07)", () => {
  it("finds a log as it was signed intact, and says what cannot be known without a checkpoint from outside", () => {
    const log = new TestLog(records);
    const alone = verifyLog(log.files());
    assert.equal(alone.kind, "intact");
    assert.match(alone.sentence, /truncation of the end cannot be excluded/);
    const anchored = verifyLog(log.files(), { key: log.signer, outsideCheckpoint: log.sign() });
    assert.ok(anchored.kind === "intact" && anchored.anchored && anchored.size === 30);
    assert.ok(!/cannot be excluded/.test(anchored.sentence));
  });

  it("still accepts an outside checkpoint that is older than the log", () => {
    const log = new TestLog(records);
    const verification = verifyLog(log.files(), { key: log.signer, outsideCheckpoint: log.sign(11) });
    assert.equal(verification.kind, "intact", verification.sentence);
  });

  it("names an edited record", () => {
    const log = new TestLog(records);
    const finding = findingOf(
      log,
      withSegment(log, 1, (lines) => lines.with(3, (lines[3] as string).replace("GET", "PUT"))),
    );
    assert.deepEqual([finding.what, finding.index], ["edited", 11]);
    assert.match(finding.sentence, /Record 11 \([0-9a-f-]{36}\) was edited/);
  });

  it("names dropped records: one, the first ten, a whole file", () => {
    const log = new TestLog(records);
    const one = findingOf(
      log,
      withSegment(log, 1, (lines) => lines.toSpliced(2, 1)),
    );
    assert.deepEqual([one.what, one.index, one.to], ["dropped", 10, 10]);
    const shifted = new TestLog(records);
    shifted.records = records.slice(10);
    const ten = findingOf(shifted);
    assert.deepEqual([ten.what, ten.index, ten.to], ["dropped", 0, 9]);
    const file = new TestLog(records);
    file.gone.add("00000001.jsonl");
    const whole = findingOf(file);
    assert.deepEqual([whole.what, whole.index], ["dropped", 8]);
    const last = findingOf(
      log,
      withSegment(log, 1, (lines) => lines.slice(0, -1)),
    );
    assert.deepEqual([last.what, last.index], ["dropped", 15]);
  });

  it("names a duplicated and an inserted record", () => {
    const log = new TestLog(records);
    const twice = findingOf(
      log,
      withSegment(log, 0, (lines) => lines.toSpliced(5, 0, lines[4] as string)),
    );
    assert.deepEqual([twice.what, twice.index], ["duplicated", 5]);
    const atEnd = findingOf(
      log,
      withSegment(log, 3, (lines) => [...lines, lines.at(-1) as string]),
    );
    assert.deepEqual([atEnd.what, atEnd.index], ["duplicated", 30]);
    const inserted = findingOf(
      log,
      withSegment(log, 0, (lines) => lines.toSpliced(5, 0, '{"forged":true}')),
    );
    assert.deepEqual([inserted.what, inserted.index], ["inserted", 5]);
  });

  it("names reordered records", () => {
    const log = new TestLog(records);
    const swapped = findingOf(
      log,
      withSegment(log, 2, (lines) => lines.with(1, lines[5] as string).with(5, lines[1] as string)),
    );
    assert.deepEqual([swapped.what, swapped.index], ["reordered", 17]);
    const files = log.bySegment();
    const segments = findingOf(log, [files[1] as string[], files[0] as string[], ...files.slice(2)]);
    assert.equal(segments.index, 0);
    assert.ok(["reordered", "dropped"].includes(segments.what));
  });

  it("names the end that was cut off, by the folder's own checkpoints or by one from outside", () => {
    const log = new TestLog(records);
    const outside = log.sign();
    const lines = withSegment(log, 3, (last) => last.slice(0, -3));
    assert.deepEqual([findingOf(log, lines).what, findingOf(log, lines).index], ["truncated", 27]);
    const thorough = new TestLog(records.slice(0, 27));
    Object.assign(thorough, { signer: log.signer });
    thorough.notes = [thorough.sign()];
    const unseen = verifyLog(thorough.files(), { key: log.signer });
    assert.equal(unseen.kind, "intact");
    assert.match(unseen.sentence, /cannot be excluded/);
    const seen = findingOf(thorough, undefined, outside);
    assert.deepEqual([seen.what, seen.index, seen.to], ["truncated", 27, 29]);
    log.gone.add("00000003.jsonl");
    assert.deepEqual([findingOf(log).what, findingOf(log).index], ["truncated", 24]);
    const torn = withSegment(new TestLog(records), 3, (last) => last.slice(0, -1));
    const files = new TestLog(records).files(torn);
    assert.equal(verifyLog(files).kind, "altered");
  });

  it("names both heads of a fork", () => {
    const log = new TestLog(records);
    const other = new TestLog([...records.slice(0, 20), ...someRecords(10)]);
    Object.assign(other, { signer: log.signer });
    const sameSize = findingOf(log, undefined, other.sign());
    assert.equal(sameSize.what, "forked");
    assert.equal(sameSize.heads?.length, 2);
    const earlier = findingOf(log, undefined, other.sign(25));
    assert.equal(earlier.what, "forked");
    assert.ok((earlier.heads?.[0] ?? "").includes(other.head(25).root.toString("base64")));
    log.notes.splice(3, 0, other.sign(22));
    assert.equal(findingOf(log).what, "forked");
  });

  it("locates an edit whose leaf was rewritten too, by the signed roots", () => {
    const log = new TestLog(records);
    log.records[13] = (records[13] as string).replace("GET", "PUT");
    log.fitLeaves();
    const finding = findingOf(log);
    assert.deepEqual([finding.what, finding.index, finding.to], ["edited", 12, 14]);
    log.notes = [];
    const whole = findingOf(log, undefined, new TestLog(records).sign === undefined ? undefined : signedBefore(log));
    assert.equal(whole.what, "edited");
  });

  it("locates a dropped, duplicated or reordered record whose leaves were rewritten too, by its journal's numbers", () => {
    for (const [what, change] of [
      ["dropped", (all: string[]) => all.toSpliced(13, 1)],
      ["duplicated", (all: string[]) => all.toSpliced(14, 0, all[13] as string, all[13] as string).toSpliced(14, 1)],
      ["dropped", (all: string[]) => all.with(13, all[15] as string).with(15, all[13] as string)],
    ] as const) {
      const log = new TestLog(records);
      log.records = change([...records]);
      log.fitLeaves();
      const finding = findingOf(log);
      assert.equal(finding.what, what);
      assert.ok(finding.index >= 13 && finding.index <= 16, `${finding.index}`);
    }
  });

  it("says when only the derived leaves differ", () => {
    const log = new TestLog(records);
    log.leaves[4] = Buffer.alloc(32);
    assert.equal(findingOf(log).what, "leaves");
  });

  it("does not take another log's key, a forged checkpoint or an unsigned one from outside", () => {
    const log = new TestLog(records);
    const stranger = new TestLog(records);
    assert.equal(verifyLog(log.files(), { key: log.signer, outsideCheckpoint: stranger.sign() }).kind, "unverifiable");
    assert.equal(verifyLog(log.files(), { key: { ...log.signer, name: "other" } }).kind, "unverifiable");
    log.notes.push(stranger.sign());
    assert.equal(findingOf(log).what, "checkpoint");
  });

  it("is not disturbed by records that were written and not signed yet", () => {
    const log = new TestLog(records.slice(0, 28));
    const lines = withSegment(log, 3, (last) => [...last, records[28] as string]);
    const verification = verifyLog(log.files(lines));
    assert.ok(verification.kind === "intact" && verification.unsigned === 1, verification.sentence);
  });

  it("finds any single change anywhere", () => {
    fc.assert(
      fc.property(fc.nat(29), fc.constantFrom("edit", "drop", "twice", "swap"), fc.boolean(), (at, kind, fit) => {
        const log = new TestLog(records);
        const outside = log.sign();
        const all = [...records];
        if (kind === "edit") all[at] = (all[at] as string).replace(/"time":\d+/, '"time":1');
        if (kind === "drop") all.splice(at, 1);
        if (kind === "twice") all.splice(at, 0, all[at] as string);
        if (kind === "swap") [all[at], all[(at + 1) % 30]] = [all[(at + 1) % 30] as string, all[at] as string];
        log.records = all;
        if (fit) log.fitLeaves();
        const finding = findingOf(log, undefined, outside);
        const first = kind === "swap" && at === 29 ? 0 : at;
        if (!fit) assert.equal(finding.index, kind === "twice" ? at + 1 : first, finding.sentence);
        else assert.ok(finding.index <= first + 3, finding.sentence);
      }),
      { numRuns: 200 },
    );
  });
});

/** A checkpoint of what the log was before anybody touched it. */
function signedBefore(log: TestLog): string {
  const clean = new TestLog(records);
  Object.assign(clean, { signer: log.signer });
  return clean.sign();
}
