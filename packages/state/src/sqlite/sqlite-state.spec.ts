import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { Refusal } from "@sallyport/contracts";
import { statePromises } from "../conformance.ts";
import { openState } from "../open-state.ts";

const clock = { now: () => Date.now() };
const parts = ["", "-wal", "-shm"];

describe("state in SQLite", () => {
  let dataDir = "";
  const file = (part = "") => join(dataDir, `state.db${part}`);
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "sallyport-state-"));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  statePromises(() => ({
    open: () => openState("sqlite", { dataDir, clock }),
    loseEverything: async () => {
      for (const part of parts) rmSync(file(part), { force: true });
    },
    snapshot: async () => {
      const database = new DatabaseSync(file());
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      database.close();
      copyFileSync(file(), `${file()}.kept`);
      return async () => {
        for (const part of parts) rmSync(file(part), { force: true });
        copyFileSync(`${file()}.kept`, file());
      };
    },
  }));

  it("is readable by its owner only, and still there for the next process", async () => {
    const first = await openState("sqlite", { dataDir, clock });
    const { generation, tick } = await first.startGeneration(1);
    await first.create("session", "s", "1");
    for (const part of parts) assert.equal(statSync(file(part)).mode & 0o777, 0o600, part);
    await first.close();
    const next = await openState("sqlite", { dataDir, clock });
    assert.deepEqual(await next.mark(), { generation, epoch: 1, tick: tick + 1 });
    next.useGeneration(generation, tick + 1);
    assert.equal((await next.get("session", "s"))?.value, "1");
    await next.close();
  });

  it("gives each of several processes its own number, and waits for the one that writes", async function () {
    this.timeout(20_000);
    const state = await openState("sqlite", { dataDir, clock });
    const { generation } = await state.startGeneration(1);
    const program = `
      import { openState } from ${JSON.stringify(new URL("../open-state.ts", import.meta.url).href)};
      const state = await openState("sqlite", { dataDir: ${JSON.stringify(dataDir)}, clock: Date, timeoutMs: 5000 });
      state.useGeneration(${JSON.stringify(generation)});
      for (let i = 0; i < 30; i++) await state.append("log", "1");
    `;
    const run = promisify(execFile);
    await Promise.all([1, 2, 3].map(() => run(process.execPath, ["--input-type=module", "-e", program])));
    assert.equal(await state.append("log", "1"), 91);
    await state.close();
  });

  it("refuses in time while another process holds the file, without stopping this one, and recovers", async () => {
    const state = await openState("sqlite", { dataDir, clock, timeoutMs: 150 });
    await state.startGeneration(1);
    const holder = new DatabaseSync(file());
    holder.exec("BEGIN IMMEDIATE");
    let turns = 0;
    const counting = setInterval(() => turns++, 5);
    const started = performance.now();
    await assert.rejects(state.create("c", "1", "1"), (error) => error instanceof Refusal && error.reason === "STATE_UNAVAILABLE");
    clearInterval(counting);
    assert.ok(performance.now() - started < 1000);
    assert.ok(turns > 3, `the event loop turned ${turns} times`);
    holder.exec("ROLLBACK");
    holder.close();
    assert.equal(await state.create("c", "1", "1"), true);
    await state.close();
  });

  it("refuses to open what is no database, or a folder that cannot be written", async () => {
    const unavailable = (error: unknown) => error instanceof Refusal && error.reason === "STATE_UNAVAILABLE";
    writeFileSync(file(), "this is no database, and long enough to be looked at as one ".repeat(100));
    await assert.rejects(openState("sqlite", { dataDir, clock }), unavailable);
    rmSync(file());
    mkdirSync(file());
    await assert.rejects(openState("sqlite", { dataDir, clock }), unavailable);
    chmodSync(file(), 0o700);
  });
});

describe("the address of the state", () => {
  it("is refused where it is neither SQLite nor Redis, and never repeated", async () => {
    for (const url of ["postgres://u:canary-4711@h", "redis://", "redis://u:canary-4711@h/x", "redis://h:99999", "SQLITE", ""]) {
      await assert.rejects(openState(url, { dataDir: tmpdir(), clock }), (error) => {
        assert.ok(error instanceof Refusal && error.reason === "INVALID_REQUEST", url);
        return !error.message.includes("canary-4711");
      });
    }
  });
});
