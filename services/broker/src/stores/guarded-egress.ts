import { readFileSync } from "node:fs";
import { Refusal } from "@sallyport/contracts";
import { Egress } from "@sallyport/egress";

/**
 * A store's own way out: the guarded dialler with what configuration says of this store.
 * @throws Refusal INVALID_REQUEST where its certificates cannot be read
 */
export function egressFor(
  store: string,
  { ca, network }: { ca?: string | undefined; network: readonly string[] },
  timeoutMs: number,
): Egress {
  const trusted = ca === undefined ? {} : { ca: certificates(ca, `stores.${store}.ca`) };
  return new Egress({ allow: network, setting: `stores.${store}.network`, connectTimeoutMs: timeoutMs, ...trusted });
}

function certificates(path: string, setting: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Refusal("INVALID_REQUEST", `${setting}: the file ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, {
      cause,
    });
  }
}
