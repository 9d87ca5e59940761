import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import { AuthnCore, newHolder } from "../authn.fixture.ts";
import { requestErrorKey } from "../http/form.ts";
import { AddressLimits } from "./address-limits.ts";
import { DeviceCodes } from "./device-codes.ts";
import { signInRuleOf } from "./refusals.ts";
import { SignInAttempts } from "./sign-in-attempts.ts";
import { newUserCode, parseUserCode } from "./user-code.ts";

const secret = Buffer.alloc(32, 7);
const alice = { provider: { name: "corp" }, principal: "corp/alice", groups: ["corp/release-team"], owner: undefined };

describe("device codes in the shared state", () => {
  let core: AuthnCore;
  let [one, another]: DeviceCodes[] = [];
  const { thumbprint } = newHolder();
  const asks = { client: "sallyport-cli", thumbprint, address: "10.1.2.3:5000" };

  beforeEach(async () => {
    core = await AuthnCore.open();
    [one, another] = [1, 2].map(() => new DeviceCodes(core.state, secret, core.clock));
  });
  afterEach(() => core.close());

  const errorOf = async (promise: Promise<unknown>) => {
    const refusal = await promise.then(
      () => assert.fail("it was answered"),
      (error: unknown) => error as Refusal,
    );
    assert.ok(refusal instanceof Refusal, String(refusal));
    return refusal.metadata[requestErrorKey] ?? signInRuleOf(refusal);
  };

  it("are of every replica: asked for at one, answered at another, redeemed at the first, spent at both", async () => {
    const { deviceCode, userCode } = await one!.begin(asks);
    const { id } = await another!.open(userCode);
    assert.deepEqual(await another!.poll(deviceCode, asks.client, thumbprint), { kind: "pending" });
    assert.deepEqual(await one!.poll(deviceCode, asks.client, thumbprint), { kind: "slow-down" });
    await another!.approve(id, alice);
    const polled = await one!.poll(deviceCode, asks.client, thumbprint);
    assert.equal(polled.kind === "approved" && polled.identity.principal, "corp/alice");
    const spent = await Promise.allSettled([one!.spend(deviceCode), another!.spend(deviceCode)]);
    assert.deepEqual(spent.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assert.equal(await errorOf(another!.poll(deviceCode, asks.client, thumbprint)), "invalid_grant");
  });

  it("are answered once", async () => {
    const { userCode } = await one!.begin(asks);
    const { id } = await one!.open(userCode);
    await another!.deny(id);
    assert.deepEqual([await errorOf(one!.approve(id, alice)), await errorOf(one!.open(userCode))], ["over", "user-code"]);
  });

  it("expire, are remembered to have done so, and then forgotten", async () => {
    const { deviceCode, userCode } = await one!.begin(asks);
    const { id } = await one!.open(userCode);
    core.clock.pass(600_000);
    const poll = () => errorOf(one!.poll(deviceCode, asks.client, thumbprint));
    assert.deepEqual(
      [await poll(), await errorOf(one!.open(userCode)), await errorOf(one!.approve(id, alice))],
      ["expired_token", "user-code", "over"],
    );
    core.clock.pass(300_001);
    assert.equal(await poll(), "invalid_grant");
  });

  it("lie there by their hashes, and none that authn did not write is read", async () => {
    const { deviceCode, userCode } = await one!.begin(asks);
    assert.equal(await core.state.get("device-codes", deviceCode), undefined);
    assert.equal(await core.state.get("user-codes", userCode), undefined);
    const forged = new DeviceCodes(core.state, Buffer.alloc(32, 8), core.clock);
    await assert.rejects(forged.poll(deviceCode, asks.client, thumbprint), /authn did not write/);
  });

  it("are entered however a person writes them", () => {
    const code = newUserCode();
    assert.equal(parseUserCode(` ${code.toLowerCase().replace("-", " – ")}.`), code);
    for (const wrong of ["", "BBBB-BBB", "BBBB-BBBBB", "AAAA-AAAA", `${code}${code}`, "ＢBBB-BBBB", "B".repeat(10_000)])
      assert.equal(parseUserCode(wrong), undefined, wrong);
  });

  it("a sign-in at a provider is finished once, at any replica, by its browser alone", async () => {
    const [here, there] = [1, 2].map(() => new SignInAttempts(core.state, secret));
    const attempt = { provider: "corp", browser: "b", purpose: { kind: "device", grant: "g", thumbprint } } as const;
    const secrets = await here!.begin(attempt);
    assert.equal(await errorOf(there!.finish(secrets.state, "corp", "another")), "other-browser");
    assert.deepEqual(await there!.finish(secrets.state, "corp", "b"), { attempt, secrets });
    assert.equal(await errorOf(here!.finish(secrets.state, "corp", "b")), "over");
    const late = await here!.begin(attempt);
    core.clock.pass(600_001);
    assert.equal(await errorOf(there!.finish(late.state, "corp", "b")), "over");
  });

  it("an address is limited over all replicas, others are not, and what turned out well is forgiven", async () => {
    const [here, there] = [1, 2].map(() => new AddressLimits(core.state, core.clock));
    for (let times = 0; times < 30; times++) {
      await here!.count("wrong-user-codes", "10.1.2.3:1");
      await here!.forgive("wrong-user-codes", "10.1.2.3:1");
    }
    for (let times = 0; times < 10; times++) await (times % 2 === 0 ? here! : there!).count("wrong-user-codes", `10.1.2.3:${times}`);
    assert.equal(await errorOf(there!.count("wrong-user-codes", "10.1.2.3:99")), "too-often");
    await there!.count("wrong-user-codes", "10.1.2.4:99");
    core.clock.pass(60_001);
    await there!.count("wrong-user-codes", "10.1.2.3:99");
  });
});
