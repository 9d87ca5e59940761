import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import { Refusal } from "@sallyport/contracts";
import { Redis } from "ioredis";
import { describeWith, isSkipped, redis, withOptions } from "../../../../test/support/servers.ts";
import { statePromises } from "../conformance.ts";
import { openState } from "../open-state.ts";
import type { State } from "../state.ts";

const clock = { now: () => Date.now() };
const options = { dataDir: "", clock, timeoutMs: 400 };
const unavailable = (error: unknown) => error instanceof Refusal && error.reason === "STATE_UNAVAILABLE";

describeWith("state in Redis", { server: withOptions(redis, { own: true }) }, ({ server }) => {
  const open = (): Promise<State> => openState(server().address, options);
  const started = async (): Promise<State> => {
    const state = await open();
    await state.startGeneration((await state.mark()).epoch + 1);
    return state;
  };
  /** Until it answers again; how long that took. */
  const recovered = async (state: State): Promise<number> => {
    const from = performance.now();
    while (performance.now() - from < 10_000) {
      if (
        await state.get("c", "1").then(
          () => true,
          () => false,
        )
      )
        return performance.now() - from;
      await delay(20);
    }
    return assert.fail("it did not recover in 10 s");
  };

  statePromises(() => ({
    open,
    loseEverything: () => server().restart({ empty: true }),
    snapshot: async () => {
      const { folder } = server();
      const kept = `${folder}.kept`;
      rmSync(kept, { recursive: true, force: true });
      cpSync(join(folder, "appendonlydir"), kept, { recursive: true });
      return async () => {
        await server().kill();
        rmSync(join(folder, "appendonlydir"), { recursive: true });
        cpSync(kept, join(folder, "appendonlydir"), { recursive: true });
        rmSync(kept, { recursive: true });
        await server().restart();
      };
    },
  }));

  it("refuses in time while Redis is frozen, forgets what was asked then, and recovers by itself", async () => {
    const state = await started();
    await state.create("c", "1", "1");
    server().pause();
    const from = performance.now();
    const asked = await Promise.allSettled([state.get("c", "1"), state.create("c", "late", "1"), state.append("log", "1")]);
    assert.ok(performance.now() - from < 1000, `${performance.now() - from} ms`);
    for (const each of asked) assert.ok(each.status === "rejected" && unavailable(each.reason));
    const next = performance.now();
    await assert.rejects(state.create("c", "late", "1"), unavailable);
    assert.ok(performance.now() - next < 50, "with no connection it refuses at once");
    await delay(500);
    server().resume();
    assert.ok((await recovered(state)) < 2000);
    assert.equal(await state.get("c", "late"), undefined);
    assert.equal(await state.append("log", "1"), 1);
    await state.close();
  });

  it("refuses while Redis is away, and goes on where it was when Redis is back", async () => {
    const state = await started();
    await state.create("c", "1", "1");
    await server().kill();
    await assert.rejects(state.get("c", "1"), unavailable);
    await server().restart();
    assert.ok((await recovered(state)) < 2000);
    assert.equal((await state.get("c", "1"))?.value, "1");
    await state.close();
  });

  it("sees that it was rolled back even after others have written past what it had seen", async () => {
    const [ahead, other] = [await started(), await open()];
    other.useGeneration((await other.mark()).generation);
    await ahead.create("c", "1", "1");
    await other.get("c", "1");
    const kept = `${server().folder}.kept`;
    cpSync(join(server().folder, "appendonlydir"), kept, { recursive: true });
    await ahead.create("c", "lost", "1");
    await server().kill();
    rmSync(join(server().folder, "appendonlydir"), { recursive: true });
    cpSync(kept, join(server().folder, "appendonlydir"), { recursive: true });
    rmSync(kept, { recursive: true });
    await server().restart();
    await recovered(other);
    for (let i = 0; i < 5; i++) await other.create("c", `new-${i}`, "1");
    await server().kill();
    await server().restart(); // one more life, in which nothing is lost
    await recovered(other);
    await delay(600);
    await assert.rejects(ahead.get("c", "1"), (error) => unavailable(error) && /rolled back/.test((error as Error).message));
    await ahead.close();
    await other.close();
  });

  it("waits for a replica where one follows, and refuses while that does not confirm", async () => {
    const follower = await redis({ own: true, replicaOf: server() });
    if (isSkipped(follower)) assert.fail(follower.skipped);
    try {
      const looking = new Redis(server().address);
      while (!(await looking.info("replication")).includes("state=online")) await delay(50);
      looking.disconnect();
      const state = await started();
      await state.create("c", "1", "1");
      const replica = new Redis(follower.address);
      assert.equal(await replica.hget("sallyport:mark", "tick"), `${(await state.mark()).tick}`);
      replica.disconnect();
      follower.pause();
      await assert.rejects(state.append("log", "1"), unavailable);
      follower.resume();
      await recovered(state);
      await state.append("log", "2");
      await state.close();
    } finally {
      await follower.stop();
    }
  });

  it("starts before Redis does", async () => {
    await server().kill();
    const state = await open();
    await assert.rejects(state.mark(), unavailable);
    await server().restart();
    for (
      let tries = 0;
      tries < 100 &&
      !(await state.mark().then(
        () => true,
        () => false,
      ));
      tries++
    )
      await delay(20);
    await state.mark();
    await state.close();
  });

  it("leaves nothing of an older generation behind", async () => {
    const state = await started();
    await state.create("c", "1", "1");
    const { epoch, generation } = await state.mark();
    await state.startGeneration(epoch + 1);
    const looking = new Redis(server().address);
    const left = async () => (await looking.keys("sallyport:*")).filter((key) => key.includes(generation));
    for (let tries = 0; tries < 50 && (await left()).length > 0; tries++) await delay(20);
    assert.deepEqual(await left(), []);
    looking.disconnect();
    await state.close();
  });

  it("forgets the names of entries whose time is over", async () => {
    const state = await started();
    for (let i = 0; i < 30; i++) await state.create("ticket", `${i}`, "1", { ttlMs: 5 });
    await delay(30);
    for (let i = 0; i < 3; i++) await state.create("ticket", `kept-${i}`, "1");
    const looking = new Redis(server().address);
    const { generation } = await state.mark();
    assert.equal(await looking.zcard(`sallyport:${generation}:ids:ticket`), 3);
    looking.disconnect();
    await state.close();
  });

  it("keeps what is stored out of its errors", async () => {
    const state = await started();
    const looking = new Redis(server().address);
    const { generation } = await state.mark();
    await looking.set(`sallyport:${generation}:log:broken`, "not a list");
    looking.disconnect();
    await assert.rejects(
      state.append("broken", "canary-4711"),
      (error) => unavailable(error) && !inspect(error, { depth: 9 }).includes("canary-4711"),
    );
    await state.close();
  });
});
