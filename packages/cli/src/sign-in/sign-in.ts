import type * as openid from "openid-client";
import { note } from "../output/print.ts";
import { hasCodeGrant, signInByBrowser } from "./browser-sign-in.ts";
import { hasDeviceGrant, signInByDevice } from "./device-sign-in.ts";
import type { IssuerChoice } from "./issuer-choice.ts";
import { discoverIssuer, type Grant } from "./issuer-client.ts";
import { canShowBrowser, openBrowser } from "./open-browser.ts";

/** How a person signs in: with a browser on this machine, with one anywhere, or as suits the place. */
export type SignInWay = "browser" | "device" | undefined;

/** Has the person sign in at the issuer. @param way undefined: by a browser where one can be shown, else by a code where the issuer has them */
export async function signInAt(choice: IssuerChoice, way: SignInWay): Promise<Grant> {
  const client = await discoverIssuer(choice);
  const shown = canShowBrowser();
  if (way === "device" || (way === undefined && suitsDevice(client, shown))) return signInByDevice(choice, client);
  return signInByBrowser(choice, client, (url) => {
    note(`Sign in here, with a browser on this machine: ${url}`);
    if (shown) openBrowser(url);
  });
}

/** A code for another device, where the issuer has them and nobody would see a browser here, or there is no other way. */
export const suitsDevice = (client: openid.Configuration, shown: boolean): boolean =>
  hasDeviceGrant(client) && !(shown && hasCodeGrant(client));
