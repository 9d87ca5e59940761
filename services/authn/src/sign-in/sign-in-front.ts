import type { EdgeListener, Gate } from "@sallyport/service";
import type { Evidence } from "../evidence/evidence.ts";
import type { AddressLimits } from "./address-limits.ts";
import type { AuthorizationCodes } from "./authorization-codes.ts";
import { authorizePage, authorizePath } from "./authorize-page.ts";
import type { Browsers } from "./browsers.ts";
import { callbackPage } from "./callback-page.ts";
import type { Clients } from "./clients.ts";
import { deviceAuthorizationEndpoint, deviceAuthorizationPath } from "./device-authorization-endpoint.ts";
import type { DeviceCodes } from "./device-codes.ts";
import { devicePage, devicePath } from "./device-page.ts";
import type { SignInAttempts } from "./sign-in-attempts.ts";
import { callbackPath, type SignInProvider } from "./sign-in-provider.ts";

/** RFC 8628 §3.4. */
export const deviceGrantType = "urn:ietf:params:oauth:grant-type:device_code";

/** RFC 6749 §4.1.3. */
export const codeGrantType = "authorization_code";

/** RFC 8414 §2, RFC 8628 §4, RFC 7636 §6.2, RFC 9207 §3. @param base where the endpoints for programs are */
export const signInMetadata = ({ url }: SignInFront, base: string) => ({
  authorization_endpoint: `${url}${authorizePath}`,
  device_authorization_endpoint: `${base}${deviceAuthorizationPath}`,
  grant_types_supported: [codeGrantType, deviceGrantType],
  response_types_supported: ["code"],
  response_modes_supported: ["query"],
  code_challenge_methods_supported: ["S256"],
  authorization_response_iss_parameter_supported: true,
});

/** Where people sign in at authn itself, whatever identity provider they are of. */
export interface SignInFront {
  /** Origin of its pages, as browsers see it. */
  readonly url: string;
  /** By name, in the configuration's order. */
  readonly providers: ReadonlyMap<string, SignInProvider>;
  readonly devices: DeviceCodes;
  readonly codes: AuthorizationCodes;
  readonly clients: Clients;
  /** This installation, as `iss` of its answers. */
  readonly audience: string;
  readonly attempts: SignInAttempts;
  readonly browsers: Browsers;
  readonly limits: AddressLimits;
}

export interface SignInDoors {
  readonly front: SignInFront;
  readonly gate: Gate;
  readonly evidence: Evidence;
}

/** The pages and endpoints of the front. */
export function registerSignIn(edge: EdgeListener, doors: SignInDoors): void {
  const [device, authorize] = [devicePage(doors), authorizePage(doors)];
  edge
    .route("POST", deviceAuthorizationPath, deviceAuthorizationEndpoint(doors))
    .route("GET", authorizePath, authorize.ask)
    .route("POST", authorizePath, authorize.answer)
    .route("GET", devicePath, device.ask)
    .route("POST", devicePath, device.answer);
  for (const name of doors.front.providers.keys()) edge.route("GET", callbackPath(name), callbackPage(doors, name));
}
