import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { FakeAuthn, fakeHost, HandClock } from "./gate.fixture.ts";
import { TrustFeed } from "./trust-feed.ts";

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

async function until(holds: () => boolean, ms = 3000): Promise<void> {
  for (const end = performance.now() + ms; !holds(); await sleep(5))
    if (performance.now() > end) assert.fail(`not within ${ms} ms: ${holds}`);
}

describe("following authn's feed", () => {
  const feeds: TrustFeed[] = [];
  const follow = async (authn: FakeAuthn, time: typeof clock = clock) => {
    const feed = await TrustFeed.follow(fakeHost(authn, time));
    feeds.push(feed);
    return feed;
  };
  afterEach(async () => void (await Promise.all(feeds.splice(0).map((feed) => feed.stop()))));

  it("holds the lease while authn answers, and refuses before", async () => {
    const feed = await follow(new FakeAuthn());
    assert.throws(() => feed.assertLease(), { reason: "STATE_UNAVAILABLE" });
    await until(() => feed.lease().held);
    await sleep(1000);
    feed.assertLease();
    assert.deepEqual([feed.generation, feed.epoch], ["g1", 1]);
  });

  it("loses it within 700 ms of the last question that was answered, tells so, and gets it back", async () => {
    const authn = new FakeAuthn();
    const feed = await follow(authn);
    await until(() => feed.lease().held);
    let lost = 0;
    feed.onLeaseLost(() => (lost += 1));
    authn.silent = true;
    const silentAt = performance.now();
    await until(() => lost === 1);
    assert.ok(performance.now() - silentAt < 850);
    assert.throws(() => feed.assertLease(), /not answered in time/);
    authn.silent = false;
    await until(() => feed.lease().held);
  });

  it("connects again when a stream is cut, and when one is silent for too long", async () => {
    const authn = new FakeAuthn();
    const [cut] = [authn.follow];
    let refusing = true;
    Object.assign(authn, {
      follow: (...args: Parameters<typeof cut>) => {
        if (refusing) throw new Error("connection refused");
        return cut(...args);
      },
    });
    const hand = new HandClock();
    const feed = await follow(authn, hand);
    await sleep(120);
    refusing = false;
    await until(() => feed.lease().held);
    authn.silent = true;
    hand.pass(2001);
    await until(() => authn.streams === 2);
    authn.silent = false;
    await until(() => feed.lease().held);
  });

  it("tells of what is revoked as soon as it is pushed", async () => {
    const authn = new FakeAuthn();
    const feed = await follow(authn);
    await until(() => feed.lease().held);
    let told = 0;
    const unsubscribe = feed.onRevoked(() => (told += 1));
    authn.revoke({ case: "provider", value: "corp" }, Date.now());
    await until(() => told === 1, 100);
    assert.equal(feed.revocations.lastSequence, 1n);
    unsubscribe();
    authn.revoke({ case: "provider", value: "corp" }, Date.now());
    await until(() => feed.revocations.lastSequence === 2n, 1000);
    assert.equal(told, 1);
  });

  it("withdraws the lease at once when authn cannot vouch for its state", async () => {
    const authn = new FakeAuthn();
    const feed = await follow(authn);
    await until(() => feed.lease().held);
    let lost = false;
    feed.onLeaseLost(() => (lost = true));
    authn.answer = { stateUnavailable: true };
    authn.push({});
    await until(() => lost, 100);
    assert.throws(() => feed.assertLease(), /vouch/);
  });

  it("tells the certificates that issue agents' certificates when they change", async () => {
    const authn = new FakeAuthn();
    const feed = await follow(authn);
    let told = 0;
    feed.onAgentCa(() => (told += 1));
    authn.answer = { ...authn.answer, agentCaPem: "PEM" };
    await until(() => told === 1);
    await sleep(400);
    assert.deepEqual([told, feed.agentCaPem], [1, "PEM"]);
  });

  it("asks about every 150 ms, and no more once stopped", async () => {
    const authn = new FakeAuthn();
    const feed = await follow(authn);
    await sleep(1000);
    assert.ok(authn.asked >= 4 && authn.asked <= 8, `${authn.asked} questions in a second`);
    await feed.stop();
    const { asked } = authn;
    await sleep(300);
    assert.equal(authn.asked, asked);
  });
});
