import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "@sallyport/contracts";
import { maskText } from "@sallyport/masking";
import { systemClock } from "@sallyport/service";
import { openState, type State } from "@sallyport/state";
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
  const brokerAt = async () => {
    const own = await openState("sqlite", { dataDir: dir, clock: systemClock });
    own.useGeneration((await state.mark()).generation);
    return { masks: new TreeMasks(own, reader, systemClock, () => []), own };
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
});
