import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "@sallyport/contracts";
import { leafHash, openCheckpoint, verifyInclusion, verifyLog } from "@sallyport/evidence";
import { logFolder } from "@sallyport/journal";
import { bytesFor, key, keyOfLog, openLog, scratchFolder } from "../audit.fixture.ts";
import { EvidenceLog } from "./evidence-log.ts";

const folder = scratchFolder();
const unavailable = (error: unknown) => error instanceof Refusal && error.reason === "AUDIT_UNAVAILABLE";
const verified = (outsideCheckpoint?: string) =>
  verifyLog(logFolder(join(folder(), "log")), { key: keyOfLog(folder()), outsideCheckpoint });

describe("the evidence log", () => {
  it("keeps exact bytes, in order, over segments and restarts, and every checkpoint verifies", async () => {
    const records = bytesFor(300);
    const first = await openLog(folder());
    const logged = await Promise.all([0, 1, 2, 3, 4].map((part) => first.append(records.slice(part * 40, part * 40 + 40))));
    assert.deepEqual(
      logged.map((each) => each.first),
      [0, 40, 80, 120, 160],
    );
    for (const { checkpoint } of logged) assert.ok((openCheckpoint(checkpoint, keyOfLog(folder()))?.size ?? 0) >= 40);
    await first.close();
    const second = await openLog(folder());
    assert.equal(second.origin, first.origin);
    await second.append(records.slice(200));
    assert.equal(second.size, 300);
    const read: Buffer[] = [];
    while (read.length < 300) read.push(...second.read(read.length, 5000));
    assert.deepEqual(
      read,
      records.map((record) => Buffer.from(record)),
    );
    const outside = second.checkpoint;
    await second.close();
    const verification = verified(outside);
    assert.ok(verification.kind === "intact" && verification.size === 300, verification.sentence);
  });

  it("proves of every record that it holds it, whatever its size and however it is cut into segments", async () => {
    const records = bytesFor(200);
    const log = await openLog(folder(), 16);
    const holds = (record: Uint8Array, index: number) => {
      const { checkpoint, path } = log.prove(index);
      const { size, root } = openCheckpoint(checkpoint, keyOfLog(folder())) ?? assert.fail("not signed");
      return size === log.size && verifyInclusion(path, leafHash(record), index, size, root);
    };
    for (const more of [1, 1, 13, 1, 1, 15, 32, 63, 73]) {
      await log.append(records.slice(log.size, log.size + more));
      for (let index = 0; index < log.size; index++) {
        assert.ok(holds(records[index] as Uint8Array, index), `${index} of ${log.size}`);
        assert.ok(!holds(records[index + 1] ?? Buffer.from("none"), index), `${index} of ${log.size}`);
      }
      assert.throws(() => log.prove(log.size), RangeError);
    }
    await log.close();
  });

  it("has one writer", async () => {
    const first = await openLog(folder());
    await assert.rejects(openLog(folder()), unavailable);
    await first.close();
    await (await openLog(folder())).close();
  });

  it("cuts off a torn line, keeps whole ones that were not signed yet, and mends their leaves", async () => {
    const records = bytesFor(70);
    const first = await openLog(folder());
    await first.append(records.slice(0, 60));
    await first.close();
    const path = join(folder(), "log", "00000000.jsonl");
    appendFileSync(path, Buffer.concat([records[60] as Uint8Array, Buffer.from("\n"), (records[61] as Uint8Array).subarray(0, 100)]));
    appendFileSync(join(folder(), "log", "00000000.leaves"), Buffer.alloc(45, 7));
    appendFileSync(join(folder(), "log", "checkpoints.jsonl"), '{"checkpoint":"torn');
    const second = await openLog(folder());
    assert.equal(second.size, 61);
    await second.append(records.slice(61));
    await second.close();
    assert.equal(verified().kind, "intact");
    assert.equal((await openLog(folder()).then(async (log) => [log.size, await log.close()]))[0], 70);
  });

  it("does not start on a log that lost records, was altered, lost its checkpoints, or has another key", async () => {
    const log = await openLog(folder());
    await log.append(bytesFor(200));
    await log.close();
    const dir = join(folder(), "log");
    const spoil = async (name: string, change: (bytes: Buffer) => Buffer) => {
      const path = join(dir, name);
      const bytes = readFileSync(path);
      writeFileSync(path, change(bytes));
      await assert.rejects(openLog(folder()), unavailable, name);
      writeFileSync(path, bytes);
    };
    await spoil("00000003.jsonl", (bytes) => bytes.subarray(0, bytes.lastIndexOf(10, bytes.length - 2) + 1));
    await spoil("00000001.leaves", (bytes) => Buffer.concat([Buffer.alloc(32), bytes.subarray(32)]));
    await spoil("checkpoints.jsonl", () => Buffer.alloc(0));
    const other = generateKeyPairSync("ed25519").privateKey;
    await assert.rejects(EvidenceLog.open({ dir, trustDomain: "test.internal", key: other, recordsPerSegment: 64 }), unavailable);
    await (await openLog(folder())).close();
  });

  it("takes a write back that the disk had no room for, whatever it had begun, and goes on when there is room", async function () {
    const disk = join(folder(), "disk");
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      (this.test as Mocha.Test).title += " [skipped: mounting a small file system needs root]";
      return this.skip();
    }
    try {
      const log = await EvidenceLog.open({ dir: join(disk, "log"), trustDomain: "test.internal", key, recordsPerSegment: 64 });
      let next = 1;
      await log.append(bytesFor(100, next));
      next += 100;
      writeFileSync(join(disk, "ballast"), Buffer.alloc(1024 * 1024));
      const before = log.size;
      await assert.rejects(async () => {
        for (;;) {
          await log.append(bytesFor(150, next, "broker-0123456789", 1000));
          next += 150;
        }
      }, unavailable);
      assert.equal(log.size, next - 1);
      assert.ok(log.size >= before);
      truncateSync(join(disk, "ballast"), 0);
      await log.append(bytesFor(150, next));
      const size = log.size;
      await log.close();
      const verification = verifyLog(logFolder(join(disk, "log")));
      assert.ok(verification.kind === "intact" && verification.size === size, verification.sentence);
      const again = await EvidenceLog.open({ dir: join(disk, "log"), trustDomain: "test.internal", key });
      assert.equal(again.size, size);
      await again.close();
    } finally {
      execFileSync("umount", [disk], { stdio: "ignore" });
    }
  });

  it("starts from its subtrees' known roots, and does without when they are wrong", async () => {
    const first = await openLog(folder());
    await first.append(bytesFor(200));
    await first.close();
    const wrong = await EvidenceLog.open({
      dir: join(folder(), "log"),
      trustDomain: "test.internal",
      key,
      subtree: () => Buffer.alloc(32),
    });
    assert.equal(wrong.size, 200);
    await wrong.close();
    rmSync(join(folder(), "log", "lock"));
    assert.ok(statSync(join(folder(), "log", "00000003.jsonl")).size > 0);
  });
});
