import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { verify } from "node:crypto";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Refusal } from "@sallyport/contracts";
import { ed25519PublicKey, placeOf } from "@sallyport/evidence";
import { chainStart, chainValue, type Entry } from "./entry.ts";
import { clock, HandClock, recordOf, scratchFolder } from "./journal.fixture.ts";
import { Journal, type JournalOptions } from "./journal.ts";

const folder = scratchFolder();
const open = (more: Partial<JournalOptions> = {}) =>
  Journal.open({ dir: folder(), service: "broker", clock, reserveBytes: 256 * 1024, ...more });
const segmentFiles = () =>
  readdirSync(folder())
    .filter((name) => name.endsWith(".journal"))
    .sort();
const unavailable = (error: unknown) => error instanceof Refusal && error.reason === "AUDIT_UNAVAILABLE";

/** All entries from a sequence on, checked: no gap, chained, signed by the boot that wrote them. */
async function readAll(journal: Journal, after = journal.first - 1n): Promise<Entry[]> {
  const all: Entry[] = [];
  for (let last = after; ; last = all.at(-1)?.sequence ?? after) {
    const some = await journal.read(last, 64 * 1024);
    if (some.length === 0) break;
    all.push(...some);
  }
  let chain = all[0]?.sequence === 1n ? chainStart : undefined;
  for (const [at, entry] of all.entries()) {
    assert.equal(entry.sequence, after + BigInt(at) + 1n);
    assert.deepEqual(placeOf(entry.record), { journal: journal.id, sequence: entry.sequence });
    if (chain !== undefined) assert.deepEqual(Buffer.from(entry.chain), chainValue(chain, entry.sequence, entry.record));
    chain = entry.chain;
    if (entry.signature === undefined) continue;
    const key = journal.keyOf(entry.sequence) as Uint8Array;
    assert.ok(verify(null, entry.chain, ed25519PublicKey(key), entry.signature));
  }
  return all;
}

describe("the journal", () => {
  it("numbers, chains and signs what it is given, and still has it after a restart under a new key", async () => {
    const first = await open();
    const appended = await Promise.all(Array.from({ length: 40 }, (_, at) => first.append(recordOf(`e.${at}`))));
    assert.deepEqual(
      appended.map(({ sequence }) => sequence),
      appended.map((_, at) => BigInt(at + 1)),
    );
    await first.close();
    const second = await open();
    assert.equal(second.id, first.id);
    await second.append(recordOf("after"));
    const all = await readAll(second);
    assert.equal(all.length, 41);
    assert.notDeepEqual(second.keyOf(40n), second.keyOf(41n));
    assert.equal(all.filter(({ bootKey }) => bootKey !== undefined).length, 2);
    await second.close();
  });

  it("is open once: another opener is refused, until this one is closed", async () => {
    const first = await open();
    await assert.rejects(open(), unavailable);
    await first.close();
    await (await open()).close();
  });

  it("writes many at once with few syncs", async () => {
    const journal = await open();
    const records = Array.from({ length: 5000 }, (_, at) => recordOf(`e.${at}`));
    await Promise.all(records.map((record) => journal.append(record)));
    const all = await readAll(journal);
    assert.equal(all.length, 5000);
    assert.ok(all.filter(({ signature }) => signature !== undefined).length < 100);
    await journal.close();
  });

  it("keeps open intents over restarts, also when their segment is gone", async () => {
    const first = await open({ maxBytes: 8 * 1024 * 1024 });
    const [one, two, three] = await Promise.all(["a", "b", "c"].map((name) => first.append(recordOf(name, { phase: "intent" }))));
    await first.append(recordOf("b", { phase: "outcome", intentUid: (two as { uid: string }).uid }));
    for (let at = 0; at < 60; at++) await first.append(recordOf("filler", { size: 30_000 }));
    await first.append(recordOf("c", { phase: "outcome", intentUid: (three as { uid: string }).uid }));
    assert.ok(segmentFiles().length > 1);
    first.release(first.last);
    assert.equal(segmentFiles().length, 1);
    assert.ok(first.first > 4n);
    await first.close();
    const second = await open({ maxBytes: 8 * 1024 * 1024 });
    assert.deepEqual(
      second.openIntents().map(({ uid }) => uid),
      [one?.uid],
    );
    assert.equal(JSON.parse(Buffer.from(second.openIntents()[0]?.record as Uint8Array).toString()).metadata.event_code, "a");
    await second.append(recordOf("later"));
    await readAll(second);
    assert.ok(second.keyOf(second.first) !== undefined);
    await second.close();
  });

  it("cuts off a torn tail, wherever it was torn, and nothing that was acknowledged", async () => {
    const first = await open();
    for (let at = 0; at < 5; at++) await first.append(recordOf("kept"));
    const whole = first.bytes;
    await Promise.all(Array.from({ length: 5 }, () => first.append(recordOf("torn"))));
    const path = join(folder(), segmentFiles()[0] as string);
    await first.close();
    const bytes = readFileSync(path);
    for (const cut of [whole, whole + 1, whole + 11, whole + 300, bytes.length - 70, bytes.length - 1]) {
      writeFileSync(path, bytes.subarray(0, cut));
      const journal = await open();
      assert.equal(journal.last, 5n, `cut at ${cut}`);
      assert.equal((await readAll(journal)).length, 5);
      await journal.close();
      assert.equal(statSync(path).size, whole);
    }
    appendFileSync(path, Buffer.alloc(5000));
    const journal = await open();
    assert.equal((await journal.append(recordOf("next"))).sequence, 6n);
    await readAll(journal);
    await journal.close();
  });

  it("refuses to open when an acknowledged entry was altered, or its segment is gone", async () => {
    const first = await open();
    for (let at = 0; at < 9; at++) await first.append(recordOf("kept"));
    const path = join(folder(), segmentFiles()[0] as string);
    await first.close();
    const bytes = readFileSync(path);
    const altered = Buffer.from(bytes);
    altered[Math.floor(bytes.length / 2)] = (altered[Math.floor(bytes.length / 2)] as number) ^ 1;
    writeFileSync(path, altered);
    await assert.rejects(open(), (error) => unavailable(error) && /damaged at entry [456]/.test((error as Error).message));
    writeFileSync(path, bytes);
    await (await open()).close();
  });
});

describe("AUDT-01: a journal without room", () => {
  it("refuses at its bound, keeps room for outcomes, and goes on once segments may go", async () => {
    const journal = await open({ maxBytes: 2 * 1024 * 1024, reserveBytes: 512 * 1024 });
    const intent = await journal.append(recordOf("effect", { phase: "intent" }));
    await assert.rejects(async () => {
      for (;;) await journal.append(recordOf("filler", { size: 8000 }));
    }, unavailable);
    await assert.rejects(journal.append(recordOf("effect", { phase: "intent", size: 8000 })), unavailable);
    await journal.append(recordOf("effect", { phase: "outcome", intentUid: intent.uid, size: 8000 }));
    assert.equal(journal.openIntents().length, 0);
    journal.release(journal.last);
    await journal.append(recordOf("effect", { phase: "intent" }));
    await readAll(journal);
    await journal.close();
  });

  it("leaves a quarter of its room to those who are not refused", async () => {
    const journal = await open({ maxBytes: 2 * 1024 * 1024, reserveBytes: 512 * 1024 });
    await assert.rejects(async () => {
      for (;;) await journal.append(recordOf("noise", { size: 8000 }), { worth: "noise" });
    }, unavailable);
    for (let at = 0; at < 20; at++) await journal.append(recordOf("effect", { size: 8000 }));
    await journal.close();
  });

  it("announces no more effects than it has room for outcomes", async () => {
    const journal = await open({ maxBytes: 8 * 1024 * 1024, reserveBytes: 100 * 1024 });
    const tried = await Promise.allSettled(Array.from({ length: 20 }, () => journal.append(recordOf("effect", { phase: "intent" }))));
    const begun = tried.filter(({ status }) => status === "fulfilled").length;
    assert.ok(begun >= 4 && begun <= 6, `${begun}`);
    await journal.append(recordOf("event"));
    await journal.close();
  });

  it("refuses while the disk is full, leaves no partial record, still writes outcomes, and recovers by itself", async function () {
    const disk = join(folder(), "disk");
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      (this.test as Mocha.Test).title += " [skipped: mounting a small file system needs root]";
      return this.skip();
    }
    try {
      const time = new HandClock();
      const journal = await Journal.open({
        dir: join(disk, "journal"),
        service: "broker",
        clock: time,
        maxBytes: 64 * 1024 * 1024,
        reserveBytes: 512 * 1024,
      });
      const intents = [];
      for (let at = 0; at < 10; at++) intents.push(await journal.append(recordOf("effect", { phase: "intent" })));
      writeFileSync(join(disk, "ballast"), "");
      assert.throws(() => {
        for (;;) appendFileSync(join(disk, "ballast"), Buffer.alloc(4096));
      }, /ENOSPC/);
      await assert.rejects(async () => {
        for (;;) await journal.append(recordOf("effect", { phase: "intent", size: 20_000 }));
      }, unavailable);
      const before = journal.last;
      const together = await Promise.allSettled([
        ...intents.map(({ uid }) => journal.append(recordOf("effect", { phase: "outcome", intentUid: uid, size: 9000 }))),
        journal.append(recordOf("effect", { phase: "intent", size: 20_000 })),
      ]);
      assert.deepEqual(
        together.map(({ status }) => status),
        [...intents.map(() => "fulfilled"), "rejected"],
      );
      assert.equal(journal.last, before + 10n);
      assert.equal(journal.openIntents().length, 0);
      await assert.rejects(journal.append(recordOf("effect", { phase: "intent" })), unavailable);
      truncateSync(join(disk, "ballast"), 0);
      time.ms += 1000;
      await journal.append(recordOf("effect", { phase: "intent" }));
      const all = await readAll(journal);
      assert.equal(BigInt(all.length), journal.last);
      await journal.close();
      const again = await Journal.open({ dir: join(disk, "journal"), service: "broker", clock, reserveBytes: 512 * 1024 });
      assert.equal(again.last, BigInt(all.length));
      await again.close();
    } finally {
      execFileSync("umount", [disk], { stdio: "ignore" });
    }
  });
});

describe("a process that is killed while it appends", () => {
  it("loses nothing that was acknowledged, many times over", async function () {
    this.timeout(60_000);
    const acknowledged = new Map<bigint, string>();
    const ended = new Set<string>();
    const begun = new Set<string>();
    for (let round = 0; round < 10; round++) {
      const child = spawn(process.execPath, ["--no-warnings", new URL("./append-forever.fixture.ts", import.meta.url).pathname, folder()], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const gone = new Promise((resolve) => child.once("close", resolve));
      // So many entries are told before it is killed, however fast the machine is; what it is doing then is left to chance.
      let left = Math.floor(5 + Math.random() * 60);
      for await (const line of createInterface({ input: child.stdout })) {
        if (--left === 0) setTimeout(() => child.kill("SIGKILL"), Math.random() * 5);
        const parts = /^(intent|outcome) (\d+) (\S+)$/.exec(line);
        if (parts === null) continue;
        acknowledged.set(BigInt(parts[2] as string), parts[3] as string);
        (parts[1] === "intent" ? begun : ended).add(parts[3] as string);
      }
      await gone;
      const journal = await open({ reserveBytes: 4 * 1024 * 1024 });
      const highest = [...acknowledged.keys()].reduce((a, b) => (a > b ? a : b), 0n);
      assert.ok(journal.last >= highest, `${journal.last} < ${highest}`);
      const stillOpen = new Set(journal.openIntents().map(({ uid }) => uid));
      for (const uid of begun) assert.ok(stillOpen.has(uid) !== ended.has(uid) || !stillOpen.has(uid));
      for (const uid of ended) assert.ok(!stillOpen.has(uid));
      await readAll(journal);
      for (const { uid } of journal.openIntents()) {
        await journal.append(recordOf("settled", { phase: "outcome", intentUid: uid }));
        ended.add(uid);
      }
      await journal.close();
    }
    assert.ok(acknowledged.size > 100, `${acknowledged.size}`);
  });
});
