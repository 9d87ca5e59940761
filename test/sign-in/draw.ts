// node test/sign-in/draw.ts: photographs a sign-in at a real Keycloak and the chain that begins with it, into docs/images.
// It needs Java, Chromium and GNOME's keyring.
import { statSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../demo/process.ts";
import { evidenceOnce, terminalEvents } from "../faults/evidence-log.ts";
import { startChromium } from "../support/browser/chromium.ts";
import { BrowserPerson } from "../support/browser/person.ts";
import { password } from "../support/keycloak/realm.ts";
import { keycloakSite } from "../support/keycloak/site.ts";
import { KeyringSession } from "../support/keyring-session.ts";
import { isSkipped, keycloak } from "../support/servers.ts";
import { FiveAgents } from "./agents.ts";
import { Login } from "./login.ts";
import { type Shown, terminal } from "./terminal.ts";

const server = await keycloak();
if (isSkipped(server)) throw new Error(server.skipped);
const site = await keycloakSite(server, "corp");
const browser = await startChromium();
const desktop = await KeyringSession.start();
const env = { SALLYPORT_HOME: join(site.folder, "people"), SALLYPORT_KEEP: "keyring", DBUS_SESSION_BUS_ADDRESS: desktop.address };

const alice = await BrowserPerson.at(browser, "alice", { width: 760, height: 560 });
const photograph = async (name: string, whole = false) => {
  const file = new URL(`../../docs/images/${name}.png`, import.meta.url).pathname;
  await alice.page.screenshot({ path: file, animations: "disabled", caret: "hide", fullPage: whole });
  console.log(`${file}: ${Math.round(statSync(file).size / 1024)} KB`);
};

const login = new Login(["--saml", "kc-saml", "-c", site.configFile], env);
await alice.open(await login.says(/^Sign in here.*: (\S+)$/m));
await alice.sees("Sign in to Sallyport?");
await photograph("sign-in-sallyport");
await alice.press("The code is the same: sign in");
await alice.page.locator("#username").fill("alice");
await alice.page.locator("#password").fill(password);
await photograph("sign-in-keycloak");
await alice.page.locator("#kc-login").click();
await alice.sees("Go back to your terminal");
const { stderr } = await login.ended;

const agents = await FiveAgents.start(env);
const order = "/v1/orders/17";
const { eventUid } = await agents.use(order);
await evidenceOnce(site.log, "the use", (all) => terminalEvents(all, order).some(({ status }) => status === "Success"), 30_000);

const shown: Shown[] = [{ typed: "sallyport login --saml kc-saml", printed: stderr.replace(/^(Sign in here.{60}).*$/m, "$1…") }];
const run = async (...args: string[]) => shown.push({ typed: `sallyport ${args.join(" ")}`, printed: await mustRun(args, { env }) });
await run("whoami");
await run("sessions", "ls");
shown.push({
  typed: `sallyport audit query --uid ${eventUid}`,
  printed: await mustRun(["audit", "query", "--uid", eventUid, "--log", site.log]),
});
// A page of its own: one that is written over another stays under the other's policy.
await alice.open("about:blank");
await alice.page.setViewportSize({ width: 1350, height: 200 });
await alice.page.setContent(terminal(shown));
await photograph("sign-in-chain", true);

agents.stop();
await browser.close();
await desktop.stop();
await site.stop();
await server.stop();
process.exit(0);
