import { Egress } from "@sallyport/egress";
import { certificatesIn } from "@sallyport/service";

/**
 * A store's own way out: the guarded dialler with what configuration says of this store.
 * @throws Refusal INVALID_REQUEST where its certificates cannot be read
 */
export function egressFor(
  store: string,
  { ca, network }: { ca?: string | undefined; network: readonly string[] },
  timeoutMs: number,
): Egress {
  const trusted = ca === undefined ? {} : { ca: certificatesIn(ca, `stores.${store}.ca`) };
  return new Egress({ allow: network, setting: `stores.${store}.network`, connectTimeoutMs: timeoutMs, ...trusted });
}
