import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import fc from "fast-check";
import type { State } from "./state.ts";

/** What a specification needs of the state that it is run on. */
export interface Subject {
  /** Another client of the same state, as another replica would have. */
  open(): Promise<State>;
  /** Takes the state away and brings it back empty. */
  loseEverything(): Promise<void>;
  /** Remembers the state as it is now; the function that it returns brings that back. */
  snapshot(): Promise<() => Promise<void>>;
}

const refuses = (call: Promise<unknown>, sentence: RegExp) =>
  assert.rejects(call, (error) => error instanceof Refusal && error.reason === "STATE_UNAVAILABLE" && sentence.test(error.message));

/** Every state must pass these, whatever holds it. */
export function statePromises(subject: () => Subject): void {
  const opened: State[] = [];
  const open = async () => {
    const state = await subject().open();
    opened.push(state);
    return state;
  };
  /** Clients of one new generation. */
  const clients = async (count: number): Promise<[State, ...State[]]> => {
    const first = await open();
    const { generation } = await first.startGeneration((await first.mark()).epoch + 1);
    const others = await Promise.all(Array.from({ length: count - 1 }, open));
    for (const other of others) other.useGeneration(generation);
    return [first, ...others];
  };
  afterEach(async () => {
    for (const state of opened.splice(0)) await state.close();
  });

  describe("entries", () => {
    it("are there for every client once they are written, with the value as it was", async () => {
      const [a, b] = await clients(2);
      const value = JSON.stringify({ text: "Grüße 🔑 \u0000\n", more: [1, null] });
      assert.equal(await a.create("session", "corp/ann#x", value), true);
      assert.equal((await b?.get("session", "corp/ann#x"))?.value, value);
      assert.equal(await b?.get("session", "corp/an"), undefined);
      assert.equal(await b?.get("sessions", "corp/ann#x"), undefined);
    });

    it("are created once", async () => {
      const [a, b] = await clients(2);
      assert.equal(await a.create("ticket", "t", "1"), true);
      assert.equal(await b?.create("ticket", "t", "2"), false);
      assert.equal((await a.get("ticket", "t"))?.value, "1");
    });

    it("are replaced only where the version is the one that was read, and a version never comes again", async () => {
      const [a] = await clients(1);
      await a.create("grant", "g", "open");
      const first = await a.get("grant", "g");
      assert.equal(await a.replace("grant", "g", first!.version, "spent"), true);
      assert.equal(await a.replace("grant", "g", first!.version, "spent twice"), false);
      assert.equal(await a.delete("grant", "g"), true);
      assert.equal(await a.delete("grant", "g"), false);
      assert.equal(await a.replace("grant", "g", first!.version, "risen"), false);
      await a.create("grant", "g", "open");
      assert.equal(await a.replace("grant", "g", first!.version, "spent"), false);
      assert.equal((await a.get("grant", "g"))?.value, "open");
    });

    it("are won by exactly one of many that race", async () => {
      const racers = await clients(5);
      await racers[0].create("grant", "race", "open");
      const { version } = (await racers[0].get("grant", "race"))!;
      const created = await Promise.all(Array.from({ length: 50 }, (_, i) => racers[i % 5]!.create("grant", "new", `${i}`)));
      assert.equal(created.filter(Boolean).length, 1);
      const replaced = await Promise.all(Array.from({ length: 50 }, (_, i) => racers[i % 5]!.replace("grant", "race", version, `${i}`)));
      assert.equal(replaced.filter(Boolean).length, 1);
      assert.equal((await racers[3]!.get("grant", "race"))?.value, `${replaced.indexOf(true)}`);
    });

    it("are gone when their time is over, and their name is free again", async () => {
      const [a] = await clients(1);
      await a.create("ticket", "short", "1", { ttlMs: 40 });
      await a.create("ticket", "kept", "1", { ttlMs: 40 });
      await a.create("ticket", "long", "1");
      await a.replace("ticket", "kept", (await a.get("ticket", "kept"))!.version, "2");
      await delay(80);
      assert.equal(await a.get("ticket", "short"), undefined);
      assert.deepEqual(
        (await a.list("ticket", { limit: 10 })).map(({ id }) => id),
        ["kept", "long"],
      );
      assert.equal(await a.replace("ticket", "short", 1, "x"), false);
      assert.equal(await a.delete("ticket", "short"), false);
      assert.equal(await a.create("ticket", "short", "2"), true);
    });

    it("are listed by the byte order of their ids, page by page, skipping what is gone", async () => {
      const [a] = await clients(1);
      const ids = ["a", "a/b", "a#b", "B", "ä", "🔑", "z", "Z", ...Array.from({ length: 30 }, (_, i) => `n${i}`)];
      for (const id of ids) await a.create("list", id, `"${id}"`, id.startsWith("n1") ? { ttlMs: 1 } : {});
      await a.create("other", "not-this", "0");
      await delay(20);
      const listed: string[] = [];
      for (let after = ""; ; ) {
        const page = await a.list("list", { after, limit: 7 });
        listed.push(...page.map(({ id }) => id));
        for (const { id, entry } of page) assert.equal(entry.value, `"${id}"`);
        if (page.length < 7) break;
        after = listed.at(-1)!;
      }
      const expected = ids.filter((id) => !id.startsWith("n1")).sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
      assert.deepEqual(listed, expected);
    });

    it("behave as a map does, for any sequence of calls", async () => {
      const [a] = await clients(1);
      let run = 0;
      const id = fc.constantFrom("x", "y", "corp/é");
      const call = fc.oneof(
        fc.tuple(fc.constant("create" as const), id, fc.string()),
        fc.tuple(fc.constant("replace" as const), id, fc.string()),
        fc.tuple(fc.constant("delete" as const), id, fc.constant("")),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(call, { maxLength: 12 }), async (calls) => {
          const collection = `map-${run++}`;
          const model = new Map<string, string>();
          for (const [kind, name, text] of calls) {
            const value = JSON.stringify(text);
            const present = await a.get(collection, name);
            assert.equal(present?.value, model.get(name));
            if (kind === "create") assert.equal(await a.create(collection, name, value), !model.has(name));
            if (kind === "replace") assert.equal(await a.replace(collection, name, present?.version ?? 1, value), model.has(name));
            if (kind === "delete") assert.equal(await a.delete(collection, name), model.has(name));
            if (kind === "delete") model.delete(name);
            else if (kind === (model.has(name) ? "replace" : "create")) model.set(name, value);
          }
          const listed = await a.list(collection, { limit: 10 });
          assert.deepEqual(new Map(listed.map((each) => [each.id, each.entry.value])), new Map([...model].sort()));
        }),
        { numRuns: 15 },
      );
    });
  });

  describe("logs and counters", () => {
    it("a log gives each record of many writers its own number, from 1 and without gaps", async () => {
      const writers = await clients(4);
      const numbers = await Promise.all(Array.from({ length: 40 }, (_, i) => writers[i % 4]!.append("revocations", `"${i}"`)));
      assert.deepEqual(
        numbers.toSorted((x, y) => x - y),
        Array.from({ length: 40 }, (_, i) => i + 1),
      );
      const read = [...(await writers[1]!.readLog("revocations", 0, 25)), ...(await writers[1]!.readLog("revocations", 25, 25))];
      assert.deepEqual(
        read.map(({ sequence }) => sequence),
        numbers.toSorted((x, y) => x - y),
      );
      for (const { sequence, value } of read) assert.equal(numbers[JSON.parse(value)], sequence);
      assert.deepEqual(await writers[0].readLog("revocations", 40, 5), []);
      assert.deepEqual(await writers[0].readLog("none", 0, 5), []);
    });

    it("a trimmed log goes on with its numbers, shows what is missing, and never loses its newest record", async () => {
      const [a, b] = await clients(2);
      for (let i = 1; i <= 5; i++) assert.equal(await a.append("trimmed", `"${i}"`), i);
      await b!.trimLog("trimmed", 3);
      const sequences = async (after: number) => (await b!.readLog("trimmed", after, 10)).map(({ sequence, value }) => [sequence, value]);
      assert.deepEqual(await sequences(0), [
        [4, '"4"'],
        [5, '"5"'],
      ]);
      assert.deepEqual(await sequences(4), [[5, '"5"']]);
      await a.trimLog("trimmed", 2);
      await a.trimLog("trimmed", 99);
      assert.deepEqual(await sequences(0), [[5, '"5"']]);
      assert.equal(await b!.append("trimmed", '"6"'), 6);
      assert.deepEqual(await sequences(5), [[6, '"6"']]);
      await a.trimLog("none", 5);
      assert.equal(await a.append("none", '"1"'), 1);
    });

    it("a set holds each member for its own time, from any client, and is gone with the last", async () => {
      const [a, b] = await clients(2);
      await Promise.all(["x", "y", "z"].map((member, n) => [a, b!][n % 2]!.join("corp/ann's", member, 5_000)));
      assert.equal(await b!.join("corp/ann's", "brief", 60), 4);
      await b!.join("corp/bob's", "x", 5_000);
      assert.deepEqual((await a.members("corp/ann's", 10)).toSorted(), ["brief", "x", "y", "z"]);
      assert.equal((await a.members("corp/ann's", 2)).length, 2);
      await a.leave("corp/ann's", "y");
      await a.leave("corp/ann's", "nobody");
      await a.join("corp/ann's", "z", 60);
      await delay(100);
      assert.deepEqual(await b!.members("corp/ann's", 10), ["x"]);
      assert.equal(await a.join("corp/ann's", "x", 5_000), 1);
      await b!.leave("corp/ann's", "x");
      assert.deepEqual(await a.members("corp/ann's", 10), []);
      assert.deepEqual(await a.members("corp/bob's", 10), ["x"]);
    });

    it("says what time it is", async () => {
      const [a] = await clients(1);
      assert.ok(Math.abs((await a.now()) - Date.now()) < 5_000);
    });

    it("a collection that nobody lists is kept, replaced, deleted and run out all the same, and cannot be listed", async () => {
      const [a, b] = await clients(2);
      await assert.rejects(a.list("sessions", { limit: 5 }), { reason: "INVALID_REQUEST" });
      assert.equal(await a.create("sessions", "s", '"1"', { ttlMs: 5_000 }), true);
      const { version } = (await b!.get("sessions", "s"))!;
      assert.equal(await b!.replace("sessions", "s", version, '"2"'), true);
      assert.equal((await a.get("sessions", "s"))?.value, '"2"');
      assert.equal(await a.delete("sessions", "s"), true);
      await a.create("sessions", "s", '"3"', { ttlMs: 50 });
      await delay(80);
      assert.equal(await b!.get("sessions", "s"), undefined);
    });

    it("a counter adds up over all clients, and its window is not moved by later increments", async () => {
      const [a, b] = await clients(2);
      const sums = await Promise.all([a.increment("corp/ann: tickets", 1, 150), b!.increment("corp/ann: tickets", 2, 150)]);
      assert.equal(Math.max(...sums), 3);
      await delay(90);
      assert.equal(await a.increment("corp/ann: tickets", 1, 150), 4);
      await delay(90);
      assert.equal(await a.increment("corp/ann: tickets", 1, 150), 1);
    });
  });

  describe("the generation", () => {
    it("is named by the mark, and each write raises the tick", async () => {
      const [a, b] = await clients(2);
      const before = await a.mark();
      await a.create("c", "1", "1");
      await b!.append("l", "1");
      const after = await b!.mark();
      assert.deepEqual([after.generation, after.epoch], [before.generation, before.epoch]);
      assert.match(after.generation, /^[\w-]{22}$/);
      assert.equal(after.tick, before.tick + 2);
    });

    it("must be known before anything is read or written", async () => {
      await clients(1);
      const unsettled = await open();
      await refuses(unsettled.get("c", "1"), /not known yet/);
      await refuses(unsettled.append("l", "1"), /not known yet/);
    });

    it("once another is started, nothing of the old one is left and its clients refuse", async () => {
      const [a, b] = await clients(2);
      await a.create("c", "1", "1");
      await a.append("l", "1");
      await a.increment("n", 5, 60_000);
      const { epoch } = await a.mark();
      const fresh = await a.startGeneration(epoch + 1);
      assert.equal(fresh.epoch, epoch + 1);
      assert.equal(await a.get("c", "1"), undefined);
      assert.deepEqual(await a.list("c", { limit: 5 }), []);
      assert.equal(await a.append("l", "1"), 1);
      assert.equal(await a.increment("n", 1, 60_000), 1);
      await refuses(b!.get("c", "1"), /started anew/);
      await refuses(b!.create("c", "2", "1"), /started anew/);
      b!.useGeneration(fresh.generation);
      assert.equal(await b!.get("c", "2"), undefined);
    });

    it("is started by one of two that try at once", async () => {
      const [a, b] = await clients(2);
      const { epoch } = await a.mark();
      const tries = await Promise.allSettled([a.startGeneration(epoch + 1), b!.startGeneration(epoch + 1)]);
      assert.equal(tries.filter(({ status }) => status === "fulfilled").length, 1);
      await refuses(a.startGeneration(epoch), /newer generation/);
    });

    it("a state that came back empty refuses everything until a new one is started", async () => {
      const [a, b] = await clients(2);
      await a.create("c", "1", "1");
      await subject().loseEverything();
      // Both have found their way back before it is asked what they make of it.
      assert.equal((await eventually(() => a.mark())).generation, "");
      await eventually(() => b!.mark());
      await refuses(a.get("c", "1"), /empty/);
      await refuses(b!.create("c", "1", "1"), /empty/);
      await refuses(b!.increment("n", 1, 1000), /empty/);
      const { generation } = await a.startGeneration(9);
      await eventually(() => b!.mark());
      b!.useGeneration(generation);
      assert.equal(await b!.create("c", "1", "1"), true);
    });

    it("a state that came back behind refuses to everybody once one who has seen more has asked, until a new one is started", async () => {
      const [ahead, behind] = await clients(2);
      await ahead.create("c", "old", "1");
      await behind!.get("c", "old");
      const bringBack = await subject().snapshot();
      for (let i = 0; i < 5; i++) await ahead.create("c", `lost-${i}`, "1");
      await bringBack();
      await eventually(() => behind!.mark());
      assert.equal((await behind!.get("c", "old"))?.value, "1");
      await eventually(() => ahead.mark());
      await refuses(ahead.get("c", "old"), /rolled back/);
      await refuses(ahead.append("l", "1"), /rolled back/);
      await refuses(behind!.get("c", "old"), /rolled back/);
      const mark = await behind!.mark();
      await behind!.startGeneration(mark.epoch + 1);
      assert.equal(await behind!.get("c", "old"), undefined);
      ahead.useGeneration((await ahead.mark()).generation);
      assert.equal(await ahead.create("c", "old", "2"), true);
    });

    it("a client that is told a higher tick than the state has reached refuses", async () => {
      const [a, told] = await clients(2);
      const { generation, tick } = await a.mark();
      told!.useGeneration(generation, tick);
      assert.equal(await told!.get("c", "1"), undefined);
      told!.useGeneration(generation, tick + 1);
      await refuses(told!.get("c", "1"), /rolled back/);
    });
  });

  it("refuses names, ids, values and limits that it cannot keep", async () => {
    const [a] = await clients(1);
    const invalid = (call: Promise<unknown>) =>
      assert.rejects(call, (error) => error instanceof Refusal && /INVALID|LARGE/.test(error.reason));
    await invalid(a.get("Bad Name", "1"));
    await invalid(a.get("c", ""));
    await invalid(a.get("c", "x".repeat(1025)));
    await invalid(a.get("c", "\ud800"));
    await invalid(a.create("c", "1", "x".repeat(1024 * 1024 + 1)));
    await invalid(a.create("c", "1", "1", { ttlMs: 0 }));
    await invalid(a.list("c", { limit: 0 }));
    await invalid(a.increment("n", 0.5, 1));
    assert.equal(await a.create("c", "x".repeat(1024), "x".repeat(1024 * 1024)), true);
  });

  it("refuses once it was closed", async () => {
    const [a] = await clients(1);
    await a.close();
    await refuses(a.get("c", "1"), /closed/);
    await a.close();
  });
}

/** A client needs a moment to find its state again. */
async function eventually<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries === 100) throw error;
      await delay(30);
    }
  }
}
