import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { ruleOn, SignInStage } from "../attacks/identity/sign-in-stage.ts";
import { assertAccessible } from "../support/browser/accessible.ts";
import { startChromium } from "../support/browser/chromium.ts";
import { BrowserPerson } from "../support/browser/person.ts";
import { describeWithTools, tools } from "../support/it-with.ts";

/** Of another site than authn's pages, as identity providers are. */
const providers = "https://idp.example";

describeWithTools([tools.chromium], "authn's own sign-in, in a real browser", function () {
  this.timeout(120_000);
  let on: SignInStage;
  let browser: Browser;
  let alice: BrowserPerson;

  before(async () => {
    on = await SignInStage.open();
    on.stage.issuer.metadata = { authorization_endpoint: `${providers}/authorize` };
    browser = await startChromium();
  });
  after(async () => {
    await browser?.close();
    await on?.close();
  });
  beforeEach(async () => {
    alice = await BrowserPerson.at(browser, "alice");
    await alice.page.route(`${providers}/**`, async (route) => {
      const sentTo = new URL(route.request().url());
      route.fulfill({ contentType: "text/html", body: sentTo.pathname === "/authorize" ? link(on.comesBack(sentTo)) : await form(sentTo) });
    });
  });
  afterEach(() => alice.close());

  const link = (back: string) => `<h1>The issuer</h1><a href="${back.replaceAll("&", "&amp;")}">Continue</a>`;
  const form = async (sentTo: URL) =>
    `<h1>The issuer</h1><form method="post" action="${on.idp.acs}"><input type="hidden" name="SAMLResponse" value="${await on.samlResponse(sentTo)}"><button>Continue</button></form>`;

  it("a device code, entered by hand, at an issuer of another site", async () => {
    const { code, maker, userCode } = await on.device();
    await alice.open(`${on.url}/oauth/device`);
    await alice.sees("Sign in to Sallyport");
    await assertAccessible(alice.page);
    await alice.page.getByLabel("Code").fill(userCode.toLowerCase());
    await alice.press("Go on");
    await alice.sees("Sign in to Sallyport?");
    await assertAccessible(alice.page);
    await alice.press(/sign in at corp/);
    await alice.page.getByRole("link", { name: "Continue" }).click();
    await alice.sees("Go back to your terminal");
    assert.match(await alice.text(), /corp\/alice/);
    assert.equal((await on.poll(code, maker)).status, 200);
    assert.deepEqual(alice.complaints, []);
    assert.deepEqual(
      (await alice.page.context().cookies()).map(({ name, secure, httpOnly, sameSite }) => [name, secure, httpOnly, sameSite]),
      [["__Host-sallyport-sign-in", true, true, "Lax"]],
    );
  });

  it("the same at a SAML identity provider, whose form brings no cookie", async () => {
    const { code, maker, page } = await on.device();
    await alice.open(page);
    await alice.press(/sign in at staff/);
    await alice.press("Continue");
    await alice.sees("Go back to your terminal");
    assert.equal((await on.poll(code, maker)).status, 200);
    assert.deepEqual(alice.complaints, []);
  });

  it("another site's form, and a frame of another site, get nothing", async () => {
    const { page, userCode } = await on.device();
    await alice.open(page);
    const token = await alice.page.locator("input[name=form]").getAttribute("value");
    await alice.page.route("https://evil.example/**", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<iframe src="${page}"></iframe><form method="post" action="${on.url}/oauth/device"><input name="user_code" value="${userCode}"><input name="form" value="${token}"><button name="provider" value="corp">Win a prize</button></form>`,
      }),
    );
    await alice.open("https://evil.example/");
    const frame = alice.page.frames()[1];
    assert.ok(frame !== undefined, "the frame is there");
    assert.ok(!(await frame.content()).includes("Sign in to Sallyport"), frame.url());
    await alice.press("Win a prize");
    await alice.sees("Nobody was signed in");
    assert.equal(ruleOn(await alice.page.content()), "other-browser", "not even the cookie comes along");
  });
});
