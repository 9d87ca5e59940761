import { Refusal } from "@sallyport/contracts";
import { Egress, type EgressOptions } from "@sallyport/egress";
import { type Clock, type Config, certificatesIn, upstreamProxyOf } from "@sallyport/service";
import type { TargetConfig } from "../../catalogue/catalogue.ts";
import type { ReadSecret } from "../../stores/secret-store.ts";
import type { Operation } from "../operation.ts";
import { ownDoors } from "../own-doors.ts";
import { fillIn } from "../placeholders/fill-in.ts";
import { clientIdentity } from "./client-certificate.ts";
import { fill } from "./fill.ts";
import { signHmac } from "./hmac.ts";
import type { Injected } from "./injected.ts";
import { githubAppMint } from "./minted/github-app.ts";
import type { MintedTokens } from "./minted/minted-tokens.ts";
import { oauthMint } from "./minted/oauth.ts";
import { tokenId, withToken } from "./minted/with-token.ts";
import { signV4 } from "./sigv4.ts";

interface Target {
  readonly config: TargetConfig;
  readonly base: URL;
  /** To where tokens are fetched. */
  readonly egress: Egress | undefined;
}

/** Puts secrets into requests as each target's configuration says. */
export class Injector {
  readonly #targets: ReadonlyMap<string, Target>;
  readonly #clock: Clock;
  readonly #tokens: MintedTokens;

  /** @throws Refusal INVALID_REQUEST where certificates cannot be read */
  constructor(
    config: Pick<Config, "targets" | "listen" | "services">,
    { clock, tokens, resolve }: { clock: Clock; tokens: MintedTokens; resolve?: EgressOptions["resolve"] },
  ) {
    this.#clock = clock;
    this.#tokens = tokens;
    const own = ownDoors(config);
    this.#targets = new Map(
      Object.entries(config.targets).map(([name, target]) => {
        const minting = target.inject?.oauth ?? target.inject?.githubApp;
        const egress =
          minting === undefined
            ? undefined
            : new Egress({
                allow: target.network,
                setting: `targets.${name}.network`,
                own: () => own,
                ...(minting.ca === undefined ? {} : { ca: certificatesIn(minting.ca, `targets.${name}.inject.ca`) }),
                ...upstreamProxyOf(target.via, `targets.${name}.via`),
                ...(resolve === undefined ? {} : { resolve }),
              });
        return [name, { config: target, base: new URL(target.baseUrl), egress }];
      }),
    );
  }

  /**
   * @param signal gives up what must be fetched for it
   * @throws Refusal STORE_UNAVAILABLE, STATE_UNAVAILABLE, INVALID_REQUEST, TARGET_UNAVAILABLE: nothing reached the target
   */
  async inject(asked: Operation, { fields, version }: ReadSecret, signal: AbortSignal): Promise<Injected> {
    const target = this.#targets.get(asked.target);
    if (target === undefined) throw new Refusal("DENIED_BY_POLICY", "There is no such target.");
    const { config, base, egress } = target;
    const { inject } = config;
    const operation = fillIn(asked, fields);
    const { sent, headers, body } = operation;
    if (inject === undefined) return { sent, headers, body, derived: [] };
    const now = () => this.#clock.now();
    if (inject.sigv4 !== undefined) return signV4(operation, inject.sigv4, fields, base, now());
    if (inject.hmac !== undefined) return signHmac(operation, inject.hmac, fields, base.pathname.replace(/\/$/, ""), now());
    if (inject.clientCertificate !== undefined)
      return { sent, headers, body, derived: [], identity: clientIdentity(inject.clientCertificate, fields) };
    const minting = inject.oauth ?? inject.githubApp;
    if (minting === undefined || egress === undefined) return fill(operation, inject, fields);
    const mint =
      inject.oauth !== undefined
        ? oauthMint(operation.target, inject.oauth, fields, egress, now)
        : githubAppMint(operation.target, inject.githubApp as NonNullable<typeof inject.githubApp>, fields, egress, now);
    const id = tokenId(operation.target, config.secret, version, minting);
    const minted = await this.#tokens.get(id, mint, signal);
    return withToken(operation, minted, inject.githubApp?.as ?? "bearer", this.#tokens, id);
  }

  /** Ends the connections to token endpoints. */
  async close(): Promise<void> {
    for (const { egress } of this.#targets.values()) await egress?.close();
  }
}
