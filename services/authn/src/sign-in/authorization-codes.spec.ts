import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Refusal } from "@sallyport/contracts";
import { AuthnCore, newHolder } from "../authn.fixture.ts";
import { requestErrorKey } from "../http/form.ts";
import { AuthorizationCodes } from "./authorization-codes.ts";

const secret = Buffer.alloc(32, 7);
const alice = { provider: { name: "corp" }, principal: "corp/alice", groups: [], owner: undefined };

describe("authorization codes in the shared state", () => {
  let core: AuthnCore;
  let here: AuthorizationCodes;
  let there: AuthorizationCodes;
  const ended: string[] = [];
  const end = async (sid: string) => void ended.push(sid);

  beforeEach(async () => {
    ended.length = 0;
    core = await AuthnCore.open();
    [here, there] = [1, 2].map(() => new AuthorizationCodes(core.state, secret, core.clock)) as [AuthorizationCodes, AuthorizationCodes];
  });
  afterEach(() => core.close());

  const make = async () => {
    const verifier = randomBytes(32).toString("base64url");
    const { thumbprint } = newHolder();
    const common = { client: "sallyport-cli", redirectUri: "http://127.0.0.1:8123/callback", thumbprint };
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const code = await here.make({ ...common, state: undefined, challenge }, alice);
    return { ...common, verifier, code };
  };
  const refusedWith = async (promise: Promise<unknown>) => {
    const refusal = await promise.then(
      () => assert.fail("it was taken"),
      (error: unknown) => error as Refusal,
    );
    assert.ok(refusal instanceof Refusal, String(refusal));
    return refusal.metadata[requestErrorKey];
  };

  it("are of every replica, and spent at all of them", async () => {
    const shown = await make();
    const [one, two] = [await here.redeemable(shown, end), await there.redeemable(shown, end)];
    assert.deepEqual([one.identity.principal, one.identity.provider.singleUse], ["corp/alice", true]);
    await two.spend();
    assert.equal(await refusedWith(one.spend()), "invalid_grant");
    assert.equal(await two.settle("s-1"), true);
    assert.equal(await refusedWith(here.redeemable(shown, end)), "invalid_grant");
    assert.deepEqual(ended, ["s-1"]);
  });

  it("that are shown again while their session begins end it, too", async () => {
    const shown = await make();
    const first = await here.redeemable(shown, end);
    await first.spend();
    assert.equal(await refusedWith(there.redeemable({ ...shown, thumbprint: newHolder().thumbprint }, end)), "invalid_grant");
    assert.equal(await first.settle("s-2"), false, "whoever began it is told to end it");
    assert.deepEqual(ended, []);
  });

  it("live for a minute, and are remembered for longer", async () => {
    const [late, used] = [await make(), await make()];
    const good = await here.redeemable(used, end);
    await good.spend();
    await good.settle("s-3");
    core.clock.pass(60_000);
    assert.equal(await refusedWith(there.redeemable(late, end)), "invalid_grant");
    assert.deepEqual(ended, []);
    assert.equal(await refusedWith(there.redeemable(used, end)), "invalid_grant");
    assert.deepEqual(ended, ["s-3"]);
  });

  it("lie there by their hashes, and none that authn did not write is read", async () => {
    const shown = await make();
    assert.equal(await core.state.get("authorization-codes", shown.code), undefined);
    const forged = new AuthorizationCodes(core.state, Buffer.alloc(32, 8), core.clock);
    await assert.rejects(forged.redeemable(shown, end), /authn did not write/);
  });
});
