import { printable, Refusal } from "@sallyport/contracts";

/**
 * Where KV version 2 keeps a secret below its mount, for a URL. A path may repeat the mount in front, as the vault's own tools
 * show it: `secret/orders/api` and `orders/api` are the same below the mount `secret`.
 *
 * @throws Refusal INVALID_REQUEST for a path that a URL could read as another
 */
export function kvPath(mount: string, path: string): string {
  const below = path.startsWith(`${mount}/`) ? path.slice(mount.length + 1) : path;
  return urlPath(below);
}

/** @throws Refusal INVALID_REQUEST */
export function urlPath(path: string): string {
  const segments = path.split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === ".." || /[\p{Cc}\\]/u.test(segment))) {
    throw new Refusal(
      "INVALID_REQUEST",
      `"${printable(path)}" is no path of a store: it has segments parted by single slashes, none of them "." or "..".`,
    );
  }
  return segments.map(encodeURIComponent).join("/");
}
