import assert from "node:assert/strict";
import { isReason, reasons } from "@sallyport/contracts";
import type { Attack, Family } from "./attack.ts";
import { credentials } from "./credentials.ts";
import { destinations } from "./destinations.ts";
import { exhaustion, slowness } from "./exhaustion.ts";
import { framing } from "./framing.ts";
import { Lab } from "./lab.ts";
import { names } from "./names.ts";
import { requests } from "./requests.ts";

const families: readonly Family[] = [framing, names, destinations, requests, credentials, exhaustion];

/** PROX-01, -05, -07, -09, -11, -15, -17, -19, -27, -33: each attack by its name, refused with its reason; nothing of it arrives anywhere. */
describe("attacks on the proxy, by name", function () {
  this.timeout(60_000);
  let lab: Lab;
  before(async () => {
    lab = await Lab.start();
  });
  after(() => lab?.stop());
  beforeEach(() => lab.forget());
  let refused = 0;

  const isRefused = async ({ name, refused: reason, attempt }: Attack) => {
    const came = await attempt(lab);
    const told = came.reason ?? (came.status === 0 && came.closed ? "closed" : `${came.status} ${came.text.slice(0, 200)}`);
    assert.equal(told, reason, name);
    if (isReason(reason) && came.status !== 0) assert.equal(came.status, reasons[reason].http, name);
    for (const spelling of [lab.canary, Buffer.from(lab.canary).toString("base64").slice(4, 24)]) assert.ok(!came.text.includes(spelling));
    refused++;
  };

  for (const { name, attacks, twins } of families) {
    describe(name, () => {
      for (const attack of attacks)
        it(`${attack.name}: ${attack.refused}`, async () => {
          await isRefused(attack);
          assert.deepEqual(lab.reached, [0, 0, 0]);
        });
      for (const twin of twins)
        it(`but not ${twin.name}`, async () => {
          const { status, text } = await twin.attempt(lab);
          assert.equal(status, 200, text.slice(0, 400));
          assert.ok(!text.includes(lab.canary));
        });
    });
  }

  it("does not tell a target that is forbidden from one that there is not, by what is wrong with a request", async () => {
    const ask = (target: string, ...headers: string[]) =>
      lab.door(
        (authorization) =>
          `POST /t/${target}/anything HTTP/1.1\r\nHost: ${lab.site.proxy}\r\n${authorization}${headers.map((line) => `${line}\r\n`).join("")}\r\n`,
      );
    for (const header of ["Authorization: Bearer mine", "X-Api-Key: mine", "Content-Length: 70000000", "Content-Length: 0"]) {
      const [forbidden, missing] = [await ask("payroll-api", header), await ask("payroll-no", header)];
      assert.equal(forbidden.reason, "DENIED_BY_POLICY", `${header}: ${forbidden.text}`);
      assert.equal(missing.reason, "DENIED_BY_POLICY", `${header}: ${missing.text}`);
      const sentence = ({ text }: { text: string }) => /This chain may not [^"\\]*\\?"[^"]*"[^"]*/.exec(text)?.[0];
      assert.ok(sentence(forbidden));
      assert.equal(sentence(missing)?.replaceAll("payroll-no", "payroll-api"), sentence(forbidden));
    }
    // Who may use a target is told what is wrong.
    assert.equal((await ask("echo", "X-Api-Key: mine", "Content-Length: 0")).reason, "INVALID_REQUEST");
    assert.equal((await ask("echo", "Authorization: Bearer mine", "Content-Length: 0")).status, 200);
    assert.deepEqual(lab.reached, [1, 0, 0]);
  });

  describe("all together", () => {
    it("slowness: each is given up in its time", async () => {
      await Promise.all(slowness.attacks.map(isRefused));
      assert.equal(lab.echo.reached.length, 0);
    });

    it("are more than eighty, of which none succeeded; and the same broker serves after them", async () => {
      const all = [...families, slowness].flatMap(({ attacks }) => attacks);
      assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
      assert.ok(all.length >= 80);
      assert.equal(refused, all.length);
      const { status, text } = await lab.inside(lab.head("GET /anything"));
      assert.equal(status, 200);
      assert.match(text, /sallyport:prod\/orders\/read#token/);
      const authority = `${lab.plain.host}:${lab.plain.port}`;
      const plainly = await lab.door(
        (authorization) => `GET http://${authority}/anything HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`,
      );
      assert.match(plainly.text, /sallyport:prod\/orders\/read#token/);
      const reverse = await lab.door((authorization) => `GET /t/echo/anything HTTP/1.1\r\nHost: ${lab.site.proxy}\r\n${authorization}\r\n`);
      assert.equal(reverse.status, 200);
    });
  });
});
