import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Credential, CredentialSchema, Refusal } from "@sallyport/contracts";
import { HeldCredential } from "./held-credential.ts";

const startedAt = 1_700_000_000_000;

describe("the credential that a session holds", () => {
  let now: number;
  let renewals: PromiseWithResolvers<Credential | undefined>[];
  let held: HeldCredential;

  beforeEach(() => {
    now = startedAt;
    renewals = [];
    held = new HeldCredential(
      () => {
        renewals.push(Promise.withResolvers());
        return renewals.at(-1)!.promise;
      },
      () => now,
    );
  });

  const credential = (token: string, lifeMs = 600_000) => create(CredentialSchema, { token, expiresAt: timestampFromMs(now + lifeMs) });

  it("is none before sign-in", async () => {
    assert.equal((await held.fresh())?.token, undefined);
    assert.throws(() => held.adopt(undefined), { reason: "INTERNAL" });
  });

  it("is used as it is until its last minute", async () => {
    held.adopt(credential("one"));
    now += 539_000;
    assert.equal((await held.fresh())?.token, "one");
    assert.equal(renewals.length, 0);
  });

  it("is renewed once, however many calls need it at the same time", async () => {
    held.adopt(credential("one"));
    now += 541_000;
    const tokens = Promise.all([held.fresh(), held.fresh(), held.fresh()]);
    renewals[0]?.resolve(credential("two"));
    assert.deepEqual(
      (await tokens).map((one) => one?.token),
      ["two", "two", "two"],
    );
    assert.equal((await held.fresh())?.token, "two");
    assert.equal(renewals.length, 1);
  });

  it("with a short life is not renewed at every call", async () => {
    held.adopt(credential("one", 6_000));
    now += 3_000;
    assert.equal((await held.fresh())?.token, "one");
    now += 1_500;
    const token = held.fresh();
    renewals[0]?.resolve(credential("two", 6_000));
    assert.equal((await token)?.token, "two");
  });

  it("serves to its end where authn cannot be reached, and then says why it could not be renewed", async () => {
    held.adopt(credential("one"));
    now += 550_000;
    const soon = held.fresh();
    renewals[0]?.reject(new Refusal("TARGET_UNAVAILABLE", "Nobody there."));
    assert.equal((await soon)?.token, "one");
    now += 60_000;
    const late = held.fresh();
    renewals[1]?.reject(new Refusal("TARGET_UNAVAILABLE", "Nobody there."));
    await assert.rejects(late, { reason: "TARGET_UNAVAILABLE" });
  });

  it("does not outlive a refusal to renew it", async () => {
    held.adopt(credential("one"));
    now += 550_000;
    const waiting = [held.fresh(), held.fresh()];
    renewals[0]?.reject(new Refusal("CREDENTIAL_REVOKED", "Ended."));
    for (const token of waiting) await assert.rejects(token, { reason: "CREDENTIAL_REVOKED" });
    const again = held.fresh();
    assert.equal(renewals.length, 2);
    renewals[1]?.resolve(credential("two"));
    assert.equal((await again)?.token, "two");
  });
});
