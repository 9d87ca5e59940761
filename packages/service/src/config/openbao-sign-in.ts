import { printable, Refusal } from "@sallyport/contracts";
import type { z } from "zod";
import { resolveReference } from "./reference.ts";
import type { openbaoAuth } from "./stores.ts";

/** One sign-in: where to, what with, and which part of it is a credential. */
export interface OpenbaoSignIn {
  /** Below `/v1/`, percent-encoded. */
  readonly path: string;
  readonly body: Readonly<Record<string, string>>;
  readonly credential: string;
}

/**
 * A service's own sign-in by whichever method is configured, with what its references hold now: platforms rotate tokens, and
 * operators secret ids. Undefined where it was given a token and does not sign in.
 *
 * @param setting which one holds `auth`, for sentences
 * @throws Refusal INVALID_REQUEST where a reference leads to nothing
 */
export function openbaoSignIn(
  { approle, jwt, kubernetes }: z.output<ReturnType<typeof openbaoAuth>>,
  setting: string,
): OpenbaoSignIn | undefined {
  const resolved = (reference: string, name: string) => resolveReference(reference, `${setting}.${name}`);
  const at = (mount: string) => `auth/${openbaoPath(mount.replace(/^\/|\/$/g, ""))}/login`;
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

/** A path for a URL. @throws Refusal INVALID_REQUEST for one that a URL could read as another */
export function openbaoPath(path: string): string {
  const segments = path.split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === ".." || /[\p{Cc}\\]/u.test(segment))) {
    throw new Refusal(
      "INVALID_REQUEST",
      `"${printable(path)}" is no path of a store: it has segments parted by single slashes, none of them "." or "..".`,
    );
  }
  return segments.map(encodeURIComponent).join("/");
}
