import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "@sallyport/contracts";
import { maskText } from "@sallyport/masking";
import { systemClock } from "@sallyport/service";
import { openState, type State } from "@sallyport/state";
import { StateSeal } from "../sealing/state-seal.ts";
import { type Derivation, derivationOf } from "./derivation.ts";
import { DerivedLedger } from "./derived-ledger.ts";
import { TreeMasks } from "./tree-masks.ts";

describe("the mask set of a tree", () => {
  let dir: string;
  let state: State;
  const values: Record<string, string> = { "a@1": "first-value-4711", "b@1": "second-value-0815", "short@1": "1234" };
  let away = false;
  const reader = {
    read: async (secret: string, version = "1") => {
      if (away) throw new Refusal("STORE_UNAVAILABLE", "away");
      return { version, createdAt: undefined, fields: new Map([["token", Buffer.from(values[`${secret}@${version}`] as string)]]) };
    },
    describe: async () => ({ version: "1", createdAt: undefined }),
  };
  const brokerAt = async (derivation?: Derivation) => {
    const own = await openState("sqlite", { dataDir: dir, clock: systemClock });
    own.useGeneration((await state.mark()).generation);
    const ledger = new DerivedLedger(own, new StateSeal(Buffer.alloc(32, 7), "derived values"), systemClock);
    return { masks: new TreeMasks(own, reader, systemClock, () => [], derivation, ledger), own };
  };
  const issue = async (masks: TreeMasks, secret: string, tree = "tree") =>
    masks.including(tree, { secret, version: "1" }, (await reader.read(secret)).fields);

  beforeEach(async () => {
    away = false;
    dir = mkdtempSync(join(tmpdir(), "sallyport-masks-"));
    state = await openState("sqlite", { dataDir: dir, clock: systemClock });
    await state.startGeneration(1);
  });
  afterEach(async () => {
    await state.close();
    rmSync(dir, { recursive: true });
  });

  it("masks on one broker what another broker issued in the same tree, and nothing of another tree's", async () => {
    const [one, two] = [await brokerAt(), await brokerAt()];
    (await issue(one.masks, "a"))[Symbol.dispose]();
    using here = await issue(two.masks, "b");
    assert.equal(maskText(here.set, `${values["a@1"]} ${values["b@1"]}`), "[sallyport:a#token] [sallyport:b#token]");
    using other = await issue(two.masks, "b", "another");
    assert.equal(maskText(other.set, values["a@1"] as string), values["a@1"]);
    for (const { masks, own } of [one, two]) {
      masks.close();
      await own.close();
    }
  });

  it("of two uses that begin at once at two brokers, at least one has the other's value", async () => {
    for (let round = 0; round < 20; round++) {
      const [one, two] = [await brokerAt(), await brokerAt()];
      const tree = `tree-${round}`;
      const begin = async (masks: TreeMasks, secret: string) =>
        masks.including(tree, { secret, version: "1" }, (await reader.read(secret)).fields);
      const [a, b] = await Promise.all([begin(one.masks, "a"), begin(two.masks, "b")]);
      const crossed = [maskText(a.set, values["b@1"] as string), maskText(b.set, values["a@1"] as string)];
      assert.ok(
        crossed.some((text) => text.startsWith("[sallyport:")),
        String(round),
      );
      a[Symbol.dispose]();
      b[Symbol.dispose]();
      for (const { masks, own } of [one, two]) {
        masks.close();
        await own.close();
      }
    }
  });

  it("has the value for each of many uses at once, the first ones included", async () => {
    const { masks, own } = await brokerAt();
    const sets = await Promise.all(Array.from({ length: 20 }, () => issue(masks, "a")));
    for (const { set } of sets) assert.equal(maskText(set, values["a@1"] as string), "[sallyport:a#token]");
    masks.close();
    await own.close();
  });

  it("is erased once its tree ended and the last answer is through, not before", async () => {
    const { masks, own } = await brokerAt();
    const used = await issue(masks, "a");
    masks.drop("tree");
    assert.equal(maskText(used.set, values["a@1"] as string), "[sallyport:a#token]");
    used[Symbol.dispose]();
    assert.throws(() => maskText(used.set, "x"));
    masks.close();
    await own.close();
  });

  it("is refused where an earlier value cannot be read again, or a value cannot be masked: MASKING_UNAVAILABLE", async () => {
    const [one, two] = [await brokerAt(), await brokerAt()];
    (await issue(one.masks, "a"))[Symbol.dispose]();
    const fields = (await reader.read("b")).fields;
    away = true;
    const unavailable = (error: unknown) => error instanceof Refusal && error.reason === "MASKING_UNAVAILABLE";
    await assert.rejects(two.masks.including("tree", { secret: "b", version: "1" }, fields), unavailable);
    away = false;
    await assert.rejects(issue(two.masks, "short"), unavailable);
    (await issue(two.masks, "b"))[Symbol.dispose]();
    for (const { masks, own } of [one, two]) {
      masks.close();
      await own.close();
    }
  });

  describe("with what is derived from a secret", () => {
    const basicOf = (user: string) => {
      const inject = { basic: { user, userField: undefined, password: "token" } };
      return derivationOf({ targets: { t: { secret: "a", inject } as never } });
    };
    const open = async (derivation?: Derivation) => {
      const broker = await brokerAt(derivation);
      closing.push(async () => {
        broker.masks.close();
        await broker.own.close();
      });
      return broker;
    };
    const closing: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const close of closing.splice(0)) await close();
    });
    const signature = (text: string, more = {}) => ({
      what: "signature",
      value: Buffer.from(text),
      goodUntil: Date.now() + 60_000,
      once: true,
      ...more,
    });

    it("has the Basic pair and the user name that travels with it, on another broker too", async () => {
      const [one, two] = [await open(basicOf("svc-orders-bot")), await open(basicOf("svc-orders-bot"))];
      const pair = Buffer.from(`svc-orders-bot:${values["a@1"]}`).toString("base64");
      using first = await issue(one.masks, "a");
      using second = await issue(two.masks, "b");
      for (const { set } of [first, second]) {
        const shown = maskText(set, `Basic ${pair} for svc-orders-bot`);
        assert.ok(!shown.includes(pair.slice(4, 12)), shown);
        assert.match(shown, /for \[sallyport:a#user\]$/);
      }
    });

    it("lets an agent say a user name, and takes one that is too short to be masked", async () => {
      const { masks } = await open(basicOf("svc-orders-bot"));
      using used = await issue(masks, "a");
      assert.equal(maskText(used.secrets, "svc-orders-bot"), "svc-orders-bot");
      assert.equal(maskText(used.secrets, values["a@1"] as string), "[sallyport:a#token]");
      using short = await issue((await open(basicOf("ann"))).masks, "a", "another");
      assert.equal(maskText(short.set, `ann ${values["a@1"]}`), "ann [sallyport:a#token]");
      const names: Derivation = { isName: (_, field) => field === "token", names: () => [], from: () => new Map() };
      using stored = await issue((await open(names)).masks, "short", "third");
      assert.equal(maskText(stored.set, "1234"), "1234");
    });

    it("masks a signature and a token on every broker, and only in its own tree; state holds neither", async () => {
      const [one, two] = [await open(), await open()];
      const derived = [signature("f00dfeed-signature-4711"), signature("ghs_minted-4711-token", { what: "access-token", once: false })];
      using here = await one.masks.including("tree", { secret: "a", version: "1" }, (await reader.read("a")).fields, derived);
      using there = await issue(two.masks, "b");
      for (const { set } of [here, there])
        assert.equal(maskText(set, "f00dfeed-signature-4711 ghs_minted-4711-token"), "[sallyport:a#signature] [sallyport:a#access-token]");
      using other = await issue(two.masks, "b", "another");
      assert.equal(maskText(other.set, "ghs_minted-4711-token"), "ghs_minted-4711-token");
      const kept = JSON.stringify(await one.own.list("derived", { limit: 10 }));
      for (const hidden of ["f00dfeed", "ghs_", Buffer.from("ghs_minted").toString("base64").slice(0, 12)])
        assert.ok(!kept.includes(hidden));
    });

    it("keeps the latest of many signatures, and every live token", async () => {
      const { masks } = await open();
      const fields = (await reader.read("a")).fields;
      const add = async (...derived: Parameters<typeof masks.including>[3] & object) =>
        (await masks.including("tree", { secret: "a", version: "1" }, fields, derived))[Symbol.dispose]();
      await add(signature("token-that-lives-4711", { what: "access-token", once: false }));
      for (let index = 0; index < 40; index++) await add(signature(`signature-number-${index}`));
      using used = await issue(masks, "a");
      assert.equal(maskText(used.set, "token-that-lives-4711 signature-number-39"), "[sallyport:a#access-token] [sallyport:a#signature]");
      assert.equal(maskText(used.set, "signature-number-0 "), "signature-number-0 ");
    });

    it("is refused where a derived value cannot be masked, or what lies in state is not what a broker sealed", async () => {
      const { masks, own } = await open();
      const fields = (await reader.read("a")).fields;
      const use = (value: string) => masks.including("tree", { secret: "a", version: "1" }, fields, [signature(value)]);
      const unavailable = (error: unknown) => error instanceof Refusal && error.reason === "MASKING_UNAVAILABLE";
      await assert.rejects(use("short"), unavailable);
      (await issue(masks, "a"))[Symbol.dispose]();
      await own.create("derived", "forged", JSON.stringify(Buffer.alloc(64).toString("base64url")));
      await assert.rejects(issue(masks, "a", "forged"), unavailable);
    });
  });
});
