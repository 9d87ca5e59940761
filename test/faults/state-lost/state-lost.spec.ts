import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Agent } from "@sallyport/sdk";
import { removeScratch, scratchFolder } from "../../support/process/scratch.ts";
import { describeWith, redis, withOptions } from "../../support/servers.ts";
import { completeUses, effectProblems } from "../effects.ts";
import { evidenceOnce } from "../evidence-log.ts";
import { type Recorder, startRecorder } from "../recorder.ts";
import { type Site, splitSite } from "../site.ts";
import { eventually, read, steadily, told } from "../told.ts";
import { AtWork } from "./at-work.ts";
import { enrolled, spentProof, spentToken } from "./spent.ts";
import { Tries } from "./tries.ts";

/** Milliseconds that the state is away. */
const awayMs = 2_000;

/** Milliseconds within which everybody is at work again, with nobody who does anything about it. */
const backWithinMs = 60_000;

/** Milliseconds from an event until it is in force at every replica. */
const inForceMs = 1_000;

/** What may be said to whoever tries what is dead or used up. */
const refusals: ReadonlySet<string> = new Set([
  ...["STATE_UNAVAILABLE", "CREDENTIAL_REVOKED", "CREDENTIAL_EXPIRED"],
  ...["PROOF_INVALID", "PROOF_REQUIRED", "UNAUTHENTICATED", "TICKET_INVALID"],
]);

/** What is told once the state can be asked. */
async function toldSteadily(attempt: () => Promise<string>): Promise<string> {
  for (let tries = 0; ; tries++) {
    const outcome = await attempt();
    if (outcome !== "STATE_UNAVAILABLE" || tries > 100) return outcome;
    await sleep(50);
  }
}

interface Fault {
  readonly what: string;
  readonly lose: () => void | Promise<void>;
  readonly regain: () => void | Promise<void>;
  /** Why the epoch rises, where it does. */
  readonly raises?: string;
}

describeWith("the state is lost while people and agents are at work", { redis: withOptions(redis, { own: true }) }, (servers) => {
  let site: Site;
  let target: Recorder;
  let work: AtWork;
  let tries: Tries | undefined;
  const closing: { close(): void }[] = [];
  const kept = <T extends { close(): void }>(one: T): T => {
    closing.push(one);
    return one;
  };
  const copies = { beforeAll: "", beforeRevocation: "" };
  const copy = (name: keyof typeof copies) => {
    copies[name] = scratchFolder("redis");
    cpSync(servers.redis().folder, copies[name], { recursive: true });
  };

  before(async function () {
    this.timeout(120_000);
    target = await startRecorder();
    site = await splitSite(servers.redis().address, {
      configure: (config) => {
        config.targets["orders-read"].baseUrl = target.url;
        for (const issuer of config.trust.oidc) issuer.singleUse = true;
        config.authn = { ...config.authn, ticketsPerMinute: 100_000, maxChildren: 10_000 };
      },
    });
    work = new AtWork(site);
    for (const name of ["first", "second", "third"]) work.user(name, 40);
    work.delegator("parent", 200);
    work.person("bob", 150);
    await work.allWorkSince(Date.now(), 20_000);
    copy("beforeAll");
  });
  after(async () => {
    await Promise.all([work?.end(), tries?.end(refusals, 0)]);
    for (const one of closing) one.close();
    await site?.stop();
    await target?.stop();
    for (const folder of Object.values(copies)) if (folder !== "") removeScratch(folder);
  });

  const away: Fault[] = [
    { what: "frozen", lose: () => servers.redis().pause(), regain: () => servers.redis().resume() },
    { what: "stopped", lose: () => servers.redis().kill(), regain: () => servers.redis().restart() },
    {
      what: "rolled back to before a revocation",
      lose: () => servers.redis().kill(),
      regain: () => servers.redis().restart({ from: copies.beforeRevocation }),
      raises: "rolled-back",
    },
    {
      what: "emptied",
      lose: () => servers.redis().kill(),
      regain: () => servers.redis().restart({ empty: true }),
      raises: "empty",
    },
    {
      what: "rolled back to before it was lost last",
      lose: () => servers.redis().kill(),
      regain: () => servers.redis().restart({ from: copies.beforeAll }),
      raises: "other-generation",
    },
  ];

  for (const { what, lose, regain, raises } of away) {
    it(`${what}: nothing begins meanwhile, nothing that was revoked or used comes back, and all are at work again`, async function () {
      this.timeout(120_000);
      const name = what.replaceAll(" ", "-");
      let turn = 0;
      // Signing in takes a second of its own right after something was revoked.
      const signedIn = (one: string) => steadily(() => site.agent(`${one}-${name}`));
      const [doomed, elder] = (await Promise.all(["doomed", "elder"].map(signedIn))) as [Agent, Agent];
      kept(doomed);
      kept(elder);
      const below = await steadily(() => enrolled(doomed));
      kept(below.child);
      const other = await steadily(() => enrolled(elder));
      kept(other.child);
      const newPath = () => `/v1/orders/spent-${name}-${turn++}`;
      const proof = await steadily(() => spentProof(site, elder, newPath()));
      const spent = [proof, ...(await steadily(() => spentToken(site))), other.byAnother];
      await steadily(() => read(doomed, `/v1/orders/doomed-${name}-${turn++}`));
      await steadily(() => read(below.child, `/v1/orders/doomed-child-${name}-${turn++}`));
      const sam = kept(await steadily(() => site.person("sam", ["security"])));
      copy("beforeRevocation");
      const subject = { case: "sessionId" as const, value: doomed.sessionId };
      await steadily(() => sam.session.revocations.revoke({ subject, reason: "misbehaves" }));
      const revokedAt = Date.now();
      await sleep(inForceMs);

      tries = new Tries();
      for (const { what: one, again } of [...spent, below.byItsKey]) tries.keep(one, again);
      for (const [who, agent] of [
        ["a revoked agent", doomed],
        ["a revoked agent's child", below.child],
      ] as const) {
        tries.keep(`${who} that uses`, () => told(() => read(agent, `/v1/orders/revoked-${name}-${turn++}`)));
        tries.keep(`${who} that renews`, () => told(() => agent.session.tokens.renew({})));
        tries.keep(`${who} that delegates`, () => told(() => enrolled(agent)));
      }
      const signInsBefore = work.workers.map(({ signIns }) => signIns);

      await lose();
      const lostAt = Date.now();
      await sleep(awayMs);
      const regainAt = Date.now();
      await regain();
      const tookMs = await work.allWorkSince(regainAt, backWithinMs);
      if (raises !== undefined) {
        for (const one of [elder, other.child]) {
          assert.equal(await toldSteadily(() => told(() => read(one, `/v1/orders/elder-${name}`))), "CREDENTIAL_REVOKED");
          assert.equal(await toldSteadily(() => told(() => one.session.tokens.renew({}))), "CREDENTIAL_REVOKED");
        }
        assert.equal(await toldSteadily(other.byItsKey.again), "TICKET_INVALID");
      } else {
        await eventually("done", () => read(elder, `/v1/orders/elder-${name}-${turn++}`));
        assert.equal(await toldSteadily(other.byItsKey.again), "done", "the same key, the same answer");
      }
      // Long enough that the tries meet the state as it is now.
      await sleep(1_000);
      assert.deepEqual(await tries.end(refusals, regainAt), []);

      const within = (from: number, to: number) => target.arrived.filter(({ at }) => at > from && at < to).map(({ path }) => path);
      assert.deepEqual(within(lostAt + inForceMs, regainAt), [], "effects without state");
      const late = (part: string, since = 0) => target.arrived.filter(({ path, at }) => path.includes(part) && at > since);
      assert.deepEqual(late(`revoked-${name}`, revokedAt + inForceMs), []);
      assert.equal(late(proof.path).length, 1, "a proof counts once");
      if (raises !== undefined) assert.deepEqual(late(`elder-${name}`), []);

      const outcomes = new Set(work.workers.flatMap(({ turns }) => turns.filter(({ at }) => at > lostAt).map(({ outcome }) => outcome)));
      // A token for single use that was issued in the new state's first second is not taken; the next one is.
      for (const fine of raises === undefined ? ["done"] : ["done", "UNAUTHENTICATED"]) outcomes.delete(fine);
      assert.deepEqual(
        [...outcomes].sort(),
        raises === undefined ? ["STATE_UNAVAILABLE"] : ["CREDENTIAL_REVOKED", "STATE_UNAVAILABLE"],
        `recovered in ${tookMs} ms`,
      );
      const signedInAgain = work.workers.filter(({ signIns }, at) => signIns > (signInsBefore[at] as number)).length;
      assert.equal(signedInAgain, raises === undefined ? 0 : work.workers.length);
      if (raises !== undefined)
        await evidenceOnce(site.log, `a new epoch, as the state was ${raises}`, (records) =>
          records.some(
            ({ metadata, status_id, unmapped: { sallyport } }) =>
              metadata.event_code === "state.new-epoch" && status_id === 1 && sallyport.details?.why === raises,
          ),
        );
    });
  }

  it("and all of it is on record: no effect without its intent, no intent without its outcome", async function () {
    this.timeout(60_000);
    await work.end();
    const uses = await completeUses({ log: site.log, served: target.arrived });
    assert.deepEqual(effectProblems(target.arrived, uses, work.succeeded), []);
    assert.ok(work.succeeded.length > 100, `${work.succeeded.length} uses`);
  });
});
