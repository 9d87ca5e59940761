import { printable, Refusal } from "@sallyport/contracts";
import * as openid from "openid-client";
import { note } from "../output/print.ts";
import type { IssuerChoice } from "./issuer-choice.ts";
import { asking, type Grant, grantOf } from "./issuer-client.ts";

/**
 * The device authorization grant (RFC 8628): the person opens an address wherever they have a browser, and enters a code.
 * @throws Refusal UNAUTHENTICATED, TARGET_UNAVAILABLE, INVALID_REQUEST where the issuer has no such grant
 */
export async function signInByDevice(choice: IssuerChoice, client: openid.Configuration): Promise<Grant> {
  if (!hasDeviceGrant(client))
    throw new Refusal(
      "INVALID_REQUEST",
      "This issuer has no device sign-in: leave --device out, and sign in by a browser on this machine.",
    );
  // RFC 8628 does without PKCE (RFC 7636), and an issuer that does so passes it over; one that asks for it of each client has it.
  const verifier = openid.randomPKCECodeVerifier();
  const challenge = { code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" };
  const device = await asking(choice.issuer, () =>
    openid.initiateDeviceAuthorization(client, { scope: choice.scopes.join(" "), ...challenge }),
  );
  note(`Open ${printable(device.verification_uri, 300)} and enter the code ${printable(device.user_code, 40)}`);
  if (device.verification_uri_complete !== undefined) note(`or open ${printable(device.verification_uri_complete, 500)}`);
  note(`The code is good for ${Math.round(device.expires_in / 60)} min. Enter only a code that you asked for yourself.`);
  // The library waits as long as the issuer asks it to (§3.5), and no longer than the code lives.
  return grantOf(await asking(choice.issuer, () => openid.pollDeviceAuthorizationGrant(client, device, { code_verifier: verifier })));
}

export const hasDeviceGrant = (client: openid.Configuration): boolean =>
  client.serverMetadata().device_authorization_endpoint !== undefined;
