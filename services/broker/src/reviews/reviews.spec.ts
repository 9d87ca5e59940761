import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Action, Refusal } from "@sallyport/contracts";
import { openState, type State } from "@sallyport/state";
import type { Reviewer } from "./review.ts";
import { type NewReview, Reviews } from "./reviews.ts";
import { ReviewSeal } from "./seal.ts";

describe("a review", () => {
  let now = Date.now();
  const clock = { now: () => now, monotonic: () => now };
  let dir: string;
  let state: State;
  let reviews: Reviews;
  const brokerKey = randomBytes(32);
  const bob: Reviewer = { id: "corp/bob", kind: "person", groups: ["corp/approvers"], depth: 1 };
  const carol: Reviewer = { ...bob, id: "corp/carol" };
  const request = (init: Partial<NewReview> = {}): NewReview => ({
    chain: [
      { id: "corp/bot", kind: "service", sid: "r".repeat(22), owner: "corp/alice" },
      { id: "corp/bot#release", kind: "agent", sid: "a".repeat(22) },
    ],
    groups: ["corp/release-team"],
    sessionStarts: [1, 1],
    provider: "corp",
    action: Action.USE,
    secret: "prod/orders/api",
    secretVersion: "1",
    target: "orders-api",
    summary: "POST /v1/refunds",
    digest: randomBytes(32).toString("hex"),
    reason: "",
    rules: [{ name: "four-eyes", reviewers: ["corp/approvers"], quorum: 1, reviewMs: 60_000, grantMs: 30_000 }],
    ...init,
  });
  const yes = (digest: string) => ({ approve: true, digest, reason: "" });
  const no = (digest: string) => ({ approve: false, digest, reason: "" });

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "sallyport-reviews-"));
    state = await openState("sqlite", { dataDir: dir, clock });
    await state.startGeneration(1);
    reviews = new Reviews(state, new ReviewSeal(brokerKey), clock);
  });
  afterEach(async () => {
    await state.close();
    rmSync(dir, { recursive: true });
  });

  it("AUDT-11 is spent once, whatever number of brokers try at the same time", async () => {
    const { review } = await reviews.open(request(), "");
    assert.equal((await reviews.vote(review.id, bob, yes(review.digest))).kind, "granted");
    const replicas = await Promise.all(
      [1, 2, 3].map(async () => {
        const other = await openState("sqlite", { dataDir: dir, clock });
        other.useGeneration((await other.mark()).generation as string);
        return { other, reviews: new Reviews(other, new ReviewSeal(brokerKey), clock) };
      }),
    );
    const spent = await Promise.all(Array.from({ length: 50 }, (_, index) => replicas[index % 3]!.reviews.spend(review.id, review.digest)));
    assert.equal(spent.filter(Boolean).length, 1);
    await Promise.all(replicas.map(({ other }) => other.close()));
  });

  it("AUDT-11 ends with its first decision: approve and reject in the same moment leave one of them", async () => {
    for (let round = 0; round < 10; round++) {
      const { review } = await reviews.open(request(), "");
      const [first, second] = await Promise.all([
        reviews.vote(review.id, bob, yes(review.digest)),
        reviews.vote(review.id, carol, no(review.digest)),
      ]);
      const kinds = [first.kind, second.kind];
      assert.equal(kinds.filter((kind) => kind === "refused").length, 1, String(kinds));
      assert.ok(["granted", "rejected"].includes((await reviews.find(review.id))?.state ?? ""));
    }
  });

  it("AUDT-13 is a no while nobody says yes: undecided, run out, or decided too late", async () => {
    const { review } = await reviews.open(request(), "");
    assert.equal(await reviews.spend(review.id, review.digest), false);
    now += 61_000;
    const late = await reviews.vote(review.id, bob, yes(review.digest));
    assert.deepEqual(late, { kind: "refused", why: "expired" });
    assert.equal(await reviews.spend(review.id, review.digest), false);
    assert.equal(await reviews.expire(review), true);
    assert.equal(await reviews.expire(review), false, "it is put on record by one replica only");
  });

  it("a grant that is not used in time is gone", async () => {
    const { review } = await reviews.open(request(), "");
    await reviews.vote(review.id, bob, yes(review.digest));
    now += 30_001;
    assert.equal(await reviews.spend(review.id, review.digest), false);
  });

  it("AUDT-13 survives a restart while it is pending", async () => {
    const { review } = await reviews.open(request(), "the preview");
    const { generation } = await state.mark();
    await state.close();
    state = await openState("sqlite", { dataDir: dir, clock });
    state.useGeneration(generation as string);
    reviews = new Reviews(state, new ReviewSeal(brokerKey), clock);
    const found = await reviews.find(review.id);
    assert.equal(found?.state, "pending");
    assert.equal(reviews.preview(found!), "the preview");
  });

  it("is not decided by anyone in the chain, its owner, an agent, a stranger, or twice by one person", async () => {
    const { review } = await reviews.open(
      request({ rules: [{ name: "r", reviewers: ["corp/approvers"], quorum: 2, reviewMs: 60_000, grantMs: 1000 }] }),
      "",
    );
    const why = async (by: Partial<Reviewer>) => {
      const counted = await reviews.vote(review.id, { ...bob, ...by }, yes(review.digest));
      return counted.kind === "refused" ? counted.why : counted.kind;
    };
    assert.equal(await why({ id: "corp/bot" }), "in-chain");
    assert.equal(await why({ id: "corp/alice" }), "in-chain");
    assert.equal(await why({ kind: "agent" }), "not-a-person");
    assert.equal(await why({ kind: "service" }), "not-a-person");
    assert.equal(await why({ depth: 2 }), "not-a-person");
    assert.equal(await why({ groups: ["corp/approvers-emea"] }), "not-a-reviewer");
    assert.equal(await why({}), "counted");
    assert.equal(await why({}), "already-voted");
    assert.equal(await why({ id: "corp/carol" }), "granted");
  });

  it("counts only a vote for the digest that was seen, and spends only for it", async () => {
    const { review } = await reviews.open(request(), "");
    assert.deepEqual(await reviews.vote(review.id, bob, yes("0".repeat(64))), { kind: "refused", why: "other-request" });
    await reviews.vote(review.id, bob, yes(review.digest));
    assert.equal(await reviews.spend(review.id, "0".repeat(64)), false);
    assert.equal(await reviews.spend(review.id, review.digest), true);
  });

  it("is joined by the same request, and by no other", async () => {
    const same = request();
    const first = await reviews.open(same, "");
    const [second, third] = await Promise.all([reviews.open(same, ""), reviews.open(same, "")]);
    assert.deepEqual([first.opened, second.opened, third.opened], [true, false, false]);
    assert.equal(second.review.id, first.review.id);
    assert.notEqual((await reviews.open(request(), "")).review.id, first.review.id);
  });

  it("opened at the same moment by two, is one", async () => {
    const same = request();
    const opened = await Promise.all(Array.from({ length: 8 }, () => reviews.open(same, "")));
    assert.equal(new Set(opened.map(({ review }) => review.id)).size, 1);
  });

  it("that somebody wrote into the state decides nothing", async () => {
    const { review } = await reviews.open(request(), "");
    const entry = await state.get("reviews", review.id);
    const forged = JSON.parse(entry!.value);
    forged.review.state = "granted";
    forged.review.grantExpiresAt = now + 1e9;
    await state.replace("reviews", review.id, entry!.version, JSON.stringify(forged));
    await assert.rejects(
      reviews.spend(review.id, review.digest),
      (error: unknown) => error instanceof Refusal && error.reason === "STATE_UNAVAILABLE",
    );
    assert.ok(!entry!.value.includes("the preview"));
  });
});
