import type { Figure, Settings } from "../figure.ts";
import { authnDelegate } from "./delegate.ts";
import { authnExchange } from "./exchange.ts";
import { installedAuthn } from "./installed-authn.ts";
import { authnRevoke } from "./revoke.ts";
import { authnVerify } from "./verify.ts";

/** Signing in, being known, delegating and being cut off. */
export async function authnFigures(settings: Settings, wanted: ReadonlySet<string>): Promise<Figure[]> {
  const figures = wanted.has("authn.verify") ? await authnVerify(settings) : [];
  if (!["authn.exchange", "authn.delegate", "authn.revoke"].some((name) => wanted.has(name))) return figures;
  const authn = await installedAuthn();
  try {
    if (wanted.has("authn.exchange")) figures.unshift(await authnExchange(authn, settings));
    if (wanted.has("authn.delegate")) figures.push(await authnDelegate(authn, settings));
    if (wanted.has("authn.revoke")) figures.push(await authnRevoke(authn, settings));
    return figures;
  } finally {
    await authn.stop();
  }
}
