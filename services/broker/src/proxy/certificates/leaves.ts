import { createSecureContext, type SecureContext } from "node:tls";
import type { Authority } from "./authority.ts";

/** Hours that a host's certificate lives. It is issued anew once half of them are over. */
const leafHours = 12;

/** What the proxy shows as a target's host: short-lived certificates of the installation's CA, one a host, kept while fresh. */
export class Leaves {
  readonly #authority: Pick<Authority, "issue">;
  readonly #now: () => number;
  readonly #fresh = new Map<string, { until: number; context: Promise<SecureContext> }>();

  constructor(authority: Pick<Authority, "issue">, now: () => number) {
    this.#authority = authority;
    this.#now = now;
  }

  /** @param host of a configured target, so that there are no more of them than targets */
  contextFor(host: string): Promise<SecureContext> {
    const known = this.#fresh.get(host);
    if (known !== undefined && this.#now() < known.until) return known.context;
    const context = this.#issue(host);
    this.#fresh.set(host, { until: this.#now() + (leafHours / 2) * 3_600_000, context });
    context.catch(() => this.#fresh.delete(host));
    return context;
  }

  async #issue(host: string): Promise<SecureContext> {
    const { certificate, key } = await this.#authority.issue(host, leafHours);
    return createSecureContext({ cert: certificate, key, minVersion: "TLSv1.2" });
  }
}
