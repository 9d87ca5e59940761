import { openbaoPath } from "@sallyport/service";

/**
 * Where KV version 2 keeps a secret below its mount, for a URL. A path may repeat the mount in front, as the vault's own tools
 * show it: `secret/orders/api` and `orders/api` are the same below the mount `secret`.
 *
 * @throws Refusal INVALID_REQUEST for a path that a URL could read as another
 */
export function kvPath(mount: string, path: string): string {
  const below = path.startsWith(`${mount}/`) ? path.slice(mount.length + 1) : path;
  return openbaoPath(below);
}
