import assert from "node:assert/strict";
import { Action } from "@sallyport/contracts";
import { type Ceiling, type CeilingEntry, ceilingAllows, ceilingContains, ceilingOf } from "@sallyport/identity";
import { type Actor, AuthnCore, ceiling, newHolder } from "../../../services/authn/src/authn.fixture.ts";
import { randomFrom } from "../../support/random.ts";

/** Delegations through the whole of authn; the rule alone is tried on 10,000 at each run. */
const delegations = Number(process.env.SALLYPORT_TEST_DELEGATIONS ?? 200);
const seed = Number(process.env.SALLYPORT_TEST_SEED ?? 20_261_125);

const actions = [Action.USE, Action.READ, Action.WRITE, Action.DELEGATE];
const segments = ["prod", "production", "orders", "api"];
const targets = ["orders-api", "search-api", "*"];
type Random = (below: number) => number;

function someName(random: Random): string {
  if (random(12) === 0) return "*";
  const path = Array.from({ length: 1 + random(3) }, () => segments[random(segments.length)]).join("/");
  return random(2) === 0 ? path : `${path}/*`;
}
const some = <T>(list: readonly T[], random: Random): T[] => list.filter(() => random(2) === 0);
const atLeastOne = <T>(list: T[], otherwise: T): T[] => (list.length === 0 ? [otherwise] : list);
const someEntry = (random: Random): CeilingEntry => ({
  actions: atLeastOne(some(actions, random), Action.DELEGATE),
  secrets: Array.from({ length: 1 + random(3) }, () => someName(random)),
  targets: atLeastOne(some(targets, random), "orders-api"),
});

/** Often something of the parent's, so that many are accepted. */
function someChild(parent: Ceiling, random: Random): Ceiling {
  const entries = Array.from({ length: 1 + random(2) }, () => {
    const from = parent.entries[random(parent.entries.length)] as CeilingEntry;
    if (random(3) === 0) return someEntry(random);
    const narrower = (name: string) => (name.endsWith("*") && random(2) === 0 ? `${name.slice(0, -1)}${segments[random(4)]}` : name);
    return { actions: atLeastOne(some(from.actions, random), Action.DELEGATE), secrets: from.secrets.map(narrower), targets: from.targets };
  });
  return ceilingOf(entries);
}

const probes = segments.flatMap((a) => [a, ...segments.flatMap((b) => [`${a}/${b}`, ...segments.map((c) => `${a}/${b}/${c}`)])]);

/** Naively: whatever the child may do, its parent may. */
function assertWithin(child: Ceiling, parent: Ceiling, random: Random): void {
  for (let n = 0; n < 40; n++) {
    const [action, secret, target] = [actions[random(4)], probes[random(probes.length)], targets[random(2)]];
    if (ceilingAllows(child, action as Action, secret, target))
      assert.ok(
        ceilingAllows(parent, action as Action, secret, target),
        `${action} ${secret} ${target}: ${JSON.stringify([child, parent])}`,
      );
  }
}

describe(`random trees of delegations (seed ${seed})`, () => {
  it("10,000 ceilings that are accepted, up to eight deep: rights(child) ⊆ rights(parent), to the top", () => {
    const random = randomFrom(seed);
    const tree: { ceiling: Ceiling; above: Ceiling[] }[] = [{ ceiling: ceilingOf([someEntry(random), someEntry(random)]), above: [] }];
    let refused = 0;
    while (tree.length < 10_000) {
      const parent = tree[random(tree.length)] as (typeof tree)[number];
      const child = someChild(parent.ceiling, random);
      if (parent.above.length >= 8) tree.push({ ceiling: ceilingOf([someEntry(random)]), above: [] });
      else if (!ceilingContains(parent.ceiling, child)) refused++;
      else {
        const above = [...parent.above, parent.ceiling];
        for (const one of above) assertWithin(child, one, random);
        tree.push({ ceiling: child, above });
      }
    }
    assert.ok(refused > 1_000, `${refused} refused`);
  }).timeout(30_000);

  it(`${delegations} delegations, renewals, narrowings and revocations through authn: no credential that lives is wider than any above it`, async () => {
    const random = randomFrom(seed + 1);
    const core = await AuthnCore.open({ limits: { maxAgents: 100_000, delegationsPerMinute: 1_000_000, maxDepth: 8 } });
    try {
      const root = await core.signIn({ agentName: "root", ceiling: ceiling(actions, ["*"]) });
      const actors: { actor: Actor; parent: number; ceiling: Ceiling; dead: boolean }[] = [
        { actor: root, parent: -1, ceiling: root.credential.ceiling, dead: false },
      ];
      const lineOf = (index: number): number[] => (index < 0 ? [] : [index, ...lineOf(actors[index]?.parent ?? -1)]);
      let granted = 0;
      for (let n = 0; n < delegations; n++) {
        const index = random(actors.length);
        const { actor, ceiling: own } = actors[index] as (typeof actors)[number];
        const what = random(10);
        if (what < 7) {
          const wanted = someChild(own, random);
          const child = await core.delegate(actor, `a${n}`, wanted, newHolder()).catch(() => undefined);
          if (child === undefined) continue;
          granted++;
          assert.ok(
            lineOf(index).every((one) => !actors[one]?.dead),
            "a child below one that was ended",
          );
          actors.push({ actor: child, parent: index, ceiling: child.credential.ceiling, dead: false });
          for (const one of lineOf(index)) assertWithin(child.credential.ceiling, (actors[one] as (typeof actors)[number]).ceiling, random);
        } else if (what === 9 && index > 0 && random(3) === 0) {
          await core.revocations.revoke({ subject: { case: "sessionId", value: actor.sid }, reason: "" }, actor.credential, {
            address: "",
          });
          (actors[index] as (typeof actors)[number]).dead = true;
        } else {
          const narrower = what === 8 && index > 0 ? someChild(own, random) : undefined;
          const renewed = await core.renew(actor, narrower).catch(() => undefined);
          if (renewed === undefined) continue;
          assert.ok(
            lineOf(index).every((one) => !actors[one]?.dead),
            "renewed below one that was ended",
          );
          (actors[index] as (typeof actors)[number]).ceiling = renewed.ceiling;
          assertWithin(renewed.ceiling, own, random);
          for (const one of lineOf(index)) assertWithin(renewed.ceiling, (actors[one] as (typeof actors)[number]).ceiling, random);
        }
      }
      assert.ok(granted > delegations / 20, `${granted} granted`);
    } finally {
      await core.close();
    }
  }).timeout(60_000 + delegations * 60);
});
