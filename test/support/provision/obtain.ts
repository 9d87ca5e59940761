import { onPath } from "../servers/on-path.ts";
import { isProvisioned, mayProvision, type Provision, provision, provisionedFolder } from "./cache.ts";

/** Why a thing is not there and will not be downloaded, as the rest of a sentence; undefined where it is or will be. */
export function lacking(wanted: Provision): string | undefined {
  if (isProvisioned(wanted)) return undefined;
  if (!mayProvision()) return "set SALLYPORT_PROVISION=1 to download it";
  const missing = wanted.needs.filter((command) => onPath(command) === undefined);
  return missing.length === 0 ? undefined : `its download needs ${missing.join(" and ")}`;
}

/** The folder of a thing, downloaded first where it must be. */
export async function obtain(wanted: Provision): Promise<string> {
  return isProvisioned(wanted) ? provisionedFolder(wanted) : provision(wanted);
}
