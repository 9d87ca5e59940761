import { commandLineClient, type EdgeRequest, type EdgeResponse } from "@sallyport/service";
import { recorded } from "../evidence/recorded.ts";
import { edgeCall, endpoint } from "../http/edge-call.ts";
import { invalid, parseForm } from "../http/form.ts";
import { json, oauthError } from "../http/oauth-error.ts";
import { deviceSeconds, pollSeconds } from "./device-codes.ts";
import { devicePath } from "./device-page.ts";
import type { SignInDoors } from "./sign-in-front.ts";

export const deviceAuthorizationPath = "/oauth/device_authorization";

const method = endpoint("device_authorization");

/** `POST /oauth/device_authorization` (RFC 8628 §3.1, §3.2), with a proof by the key that the session will be bound to (RFC 9449 §5). */
export const deviceAuthorizationEndpoint =
  ({ front, gate, evidence }: SignInDoors) =>
  async (request: EdgeRequest): Promise<EdgeResponse> => {
    const { call, headers } = edgeCall(request, method);
    try {
      return await recorded(evidence, "session.sign-in", call, async (story) => {
        const client = parseClient(parseForm(request));
        const { thumbprint } = await gate.prove(call);
        story.origin = { ...story.origin, thumbprint };
        await front.limits.count("device-requests", request.address);
        const { deviceCode, userCode } = await front.devices.begin({ client, thumbprint, address: request.address });
        const page = `${front.url}${devicePath}`;
        const answer = {
          device_code: deviceCode,
          user_code: userCode,
          verification_uri: page,
          verification_uri_complete: `${page}?user_code=${userCode}`,
          expires_in: deviceSeconds,
          interval: pollSeconds,
        };
        return json(answer, 200, headers);
      });
    } catch (error) {
      return oauthError(error, headers);
    }
  };

/** What is asked for and cannot be given exactly is refused. What the session may do at most is said when it is fetched. */
function parseClient(form: ReadonlyMap<string, string>): string {
  if (form.has("scope"))
    throw invalid("There are no scopes here: say what the credential may do by authorization_details.", "invalid_scope");
  for (const name of form.keys()) if (name !== "client_id") throw invalid("A device code is asked for with client_id, and nothing else.");
  const client = form.get("client_id");
  if (client === undefined) throw invalid("There is no client_id.");
  if (client !== commandLineClient) throw invalid(`Device codes are for ${commandLineClient} only.`, "invalid_client");
  return client;
}
