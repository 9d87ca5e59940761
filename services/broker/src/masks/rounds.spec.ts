import assert from "node:assert/strict";
import { Rounds } from "./rounds.ts";

describe("answers that are shared", () => {
  /** Rounds by hand: each is answered with its number when told. */
  const byHand = () => {
    const begun: { answer(): void; fail(): void }[] = [];
    const run = () =>
      new Promise<number>((resolve, reject) => {
        const number = begun.length + 1;
        begun.push({ answer: () => resolve(number), fail: () => reject(new Error(`round ${number}`)) });
      });
    return { begun, run, rounds: new Rounds<number>() };
  };

  it("are never older than the question: who comes during a round gets the next, all of them the same", async () => {
    const { begun, run, rounds } = byHand();
    const first = rounds.ask("a", run);
    const [second, third] = [rounds.ask("a", run), rounds.ask("a", run)];
    assert.equal(begun.length, 1);
    begun[0]?.answer();
    assert.equal(await first, 1);
    await new Promise(setImmediate);
    assert.equal(begun.length, 2, "the next round began by itself");
    const fourth = rounds.ask("a", run);
    begun[1]?.answer();
    assert.deepEqual(await Promise.all([second, third]), [2, 2]);
    await new Promise(setImmediate);
    begun[2]?.answer();
    assert.equal(await fourth, 3);
    await new Promise(setImmediate);
    void rounds.ask("a", run);
    assert.equal(begun.length, 4, "nothing is remembered once it was answered");
  });

  it("are shared by those who ask the same alone", () => {
    const { begun, run, rounds } = byHand();
    void rounds.ask("a", run);
    void rounds.ask("b", run);
    assert.equal(begun.length, 2);
  });

  it("fail for those alone who waited for them", async () => {
    const { begun, run, rounds } = byHand();
    const first = rounds.ask("a", run);
    const second = rounds.ask("a", run);
    begun[0]?.fail();
    await assert.rejects(first, /round 1/);
    await new Promise(setImmediate);
    begun[1]?.answer();
    assert.equal(await second, 2);
  });
});
