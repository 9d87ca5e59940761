import { type OpenbaoStore as OpenbaoConfig, resolveReference } from "@sallyport/service";
import { urlPath } from "./kv-path.ts";

/** One sign-in: where to, what with, and which part of it is a credential. */
export interface SignIn {
  /** Percent-encoded. */
  readonly path: string;
  readonly body: Readonly<Record<string, string>>;
  readonly credential: string;
}

type Auth = OpenbaoConfig["auth"];

/**
 * The broker's own sign-in by whichever method is configured, with what its references hold now: platforms rotate tokens, and
 * operators secret ids. Undefined where the broker was given a token and does not sign in.
 *
 * @throws Refusal INVALID_REQUEST where a reference leads to nothing
 */
export function signInWith(store: string, { approle, jwt, kubernetes }: Auth): SignIn | undefined {
  const resolved = (reference: string, setting: string) => resolveReference(reference, `stores.${store}.auth.${setting}`);
  const at = (mount: string) => `auth/${urlPath(mount.replace(/^\/|\/$/g, ""))}/login`;
  if (approle !== undefined) {
    const secretId = resolved(approle.secretId, "approle.secretId");
    return {
      path: at(approle.mount),
      body: { role_id: resolved(approle.roleId, "approle.roleId"), secret_id: secretId },
      credential: secretId,
    };
  }
  const [method, by] = jwt === undefined ? ["kubernetes", kubernetes] : ["jwt", jwt];
  if (by === undefined) return undefined;
  const token = resolved(by.token, `${method}.token`);
  return { path: at(by.mount), body: { role: by.role, jwt: token }, credential: token };
}
