import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { Refusal } from "@sallyport/contracts";
import { LocalIdp, newPair } from "./local-idp.fixture.ts";
import { ruleOf } from "./saml-refusals.ts";
import { SignatureThread } from "./signature-thread.ts";

describe("the thread that verifies SAML signatures", () => {
  let xml: string;
  let costly: string;
  let certificates: string[];
  before(async function () {
    this.timeout(60_000);
    const idp = await LocalIdp.open();
    certificates = [idp.pair.certificate];
    xml = await idp.signed();
    const forged = await idp.signed({}, { pair: await newPair() });
    costly = forged.replace("<saml:AttributeStatement>", `<saml:AttributeStatement>${"<a/>".repeat(900)}`);
  });

  const ask = (thread: SignatureThread, text: string) => thread.verified({ xml: text, of: "assertion", certificates });
  const reasonOf = (error: unknown) => ruleOf(error) ?? (error instanceof Refusal ? error.reason : String(error));

  it("lets everything else go on while it looks at costly ones, and says what a good one signed", async () => {
    const thread = new SignatureThread();
    assert.match(await ask(thread, xml), /^<saml:Assertion [\s\S]*>alice</);
    let looking = true;
    const refused = Promise.allSettled([ask(thread, costly), ask(thread, costly), ask(thread, costly)]).finally(() => {
      looking = false;
    });
    let turns = 0;
    for (; looking; turns++) await turn();
    assert.ok(turns > 500, `the event loop turned ${turns} times only`);
    for (const one of await refused) assert.equal(one.status === "rejected" && reasonOf(one.reason), "signature");
  });

  it("lets so many wait and no more, and is good for the next", async () => {
    const thread = new SignatureThread({ timeoutMs: 20_000, waiting: 2 });
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => ask(thread, costly)));
    const reasons = all.map((one) => one.status === "rejected" && reasonOf(one.reason));
    assert.deepEqual(reasons, ["signature", "signature", "signature", "RATE_LIMITED", "RATE_LIMITED", "RATE_LIMITED"]);
    assert.match(await ask(thread, xml), />alice</);
  });

  it("gives up one that takes too long, alone", async () => {
    const thread = new SignatureThread({ timeoutMs: 1, waiting: 2 });
    for (let n = 0; n < 2; n++) assert.equal(await ask(thread, costly).catch(reasonOf), "too-slow");
  });
});
