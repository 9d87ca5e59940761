import { certificatesIn } from "./certificates-file.ts";
import { resolveReference } from "./reference.ts";
import type { Via } from "./via.ts";

/** A proxy on the way out, as the dialler takes it. */
export type ConfiguredProxy = Via["proxy"] & {
  readonly ca: string | undefined;
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
};

/**
 * The proxy that configuration names, with its credentials.
 *
 * @param setting `targets.orders-api.via`
 * @throws Refusal INVALID_REQUEST where a file or a reference cannot be read
 */
export function upstreamProxyOf(via: Via | undefined, setting: string): { via?: ConfiguredProxy } {
  if (via === undefined) return {};
  const { proxy, ca, username, password } = via;
  const credentials =
    username === undefined || password === undefined
      ? undefined
      : { username: resolveReference(username, `${setting}.username`), password: resolveReference(password, `${setting}.password`) };
  return { via: { ...proxy, ca: ca === undefined ? undefined : certificatesIn(ca, `${setting}.ca`), credentials } };
}
