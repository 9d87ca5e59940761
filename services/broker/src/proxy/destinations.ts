import { Action, printable, Refusal } from "@sallyport/contracts";
import { type Ceiling, ceilingAllows } from "@sallyport/identity";
import type { Config, ProxySettings } from "@sallyport/service";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { allows } from "../targets/allow.ts";
import { canonicalPath } from "../targets/path.ts";
import { isSame, type Origin, originOf, originText } from "./authority.ts";

interface Known {
  readonly name: string;
  readonly config: TargetConfig;
  readonly origin: Origin;
  /** Without a slash at its end. */
  readonly basePath: string;
}

/** A request's target, and its path below the target's base URL. */
export interface Found {
  readonly target: string;
  readonly path: string;
}

/** What the configuration says of where requests may go: the targets by their base URLs, and what is passed without a secret. */
export class Destinations {
  readonly #targets: readonly Known[];
  readonly #pass: ProxySettings["pass"];

  constructor(targets: Config["targets"], pass: ProxySettings["pass"]) {
    this.#pass = pass;
    this.#targets = Object.entries(targets)
      .map(([name, config]) => {
        const url = new URL(config.baseUrl);
        return { name, config, origin: originOf(url), basePath: url.pathname.replace(/\/+$/, "") };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The hosts that the proxy's CA may speak for. */
  get hosts(): string[] {
    return [...new Set(this.#targets.filter(({ origin }) => origin.scheme === "https").map(({ origin }) => origin.host))];
  }

  /** Every host of a target, whatever its scheme: a tool must not go around the proxy to one. */
  get targetHosts(): string[] {
    return [...new Set(this.#targets.map(({ origin }) => origin.host))];
  }

  isTarget(origin: Origin): boolean {
    return this.#targets.some((target) => isSame(target.origin, origin));
  }

  /** Whether configuration lets tools go there without a secret. What is a target on any scheme is never passed unread. */
  passes({ host, port }: Pick<Origin, "host" | "port">): boolean {
    if (this.#targets.some(({ origin }) => origin.host === host && origin.port === port)) return false;
    return this.#pass.some(
      (entry) => entry.port === port && (entry.below ? host.endsWith(`.${entry.host}`) : entry.host.replace(/^\[|\]$/g, "") === host),
    );
  }

  /**
   * The one target that a request is for. Several targets at one place (a path and a secret each) are told apart by path, then by
   * what they allow, then by the caller's ceiling; what is still ambiguous is refused, as nothing says whose secret is meant.
   *
   * @param sent path and query as the tool sent them
   * @param named the target's name, where the tool says it
   * @throws Refusal DESTINATION_NOT_ALLOWED, INVALID_REQUEST
   */
  find(origin: Origin, method: string, sent: string, ceiling: Ceiling, named: string | undefined): Found {
    const here = this.#targets.flatMap((known) => {
      const path = isSame(known.origin, origin) ? below(known.basePath, sent) : undefined;
      return path === undefined || (named !== undefined && named !== known.name) ? [] : [{ ...known, path }];
    });
    const longest = Math.max(...here.map(({ basePath }) => basePath.length));
    const nearest = here.filter(({ basePath }) => basePath.length === longest);
    const first = nearest[0];
    if (first === undefined) throw blocked(origin);
    if (nearest.length === 1) return found(first);
    const listing = nearest.filter(({ config, path }) => allows(config.allow, method, canonicalPath(path).path));
    if (listing.length === 0) return found(first);
    if (listing.length === 1) return found(listing[0] as Known & { path: string });
    const mine = listing.filter(({ name, config }) => ceilingAllows(ceiling, Action.USE, config.secret, name));
    if (mine.length <= 1) return found(mine[0] ?? (listing[0] as Known & { path: string }));
    const names = mine.map(({ name }) => name).join(", ");
    throw new Refusal(
      "INVALID_REQUEST",
      `Several targets are there, and this call may be for any of ${printable(names, 400)}: name one in the header sallyport-target, or delegate for one alone.`,
    );
  }

  /**
   * The target that a reverse path names: `/t/<target>/…`; the longest name that is configured, else the first segment, so that
   * an unknown name goes the way of a forbidden one. Undefined where the path is none.
   */
  reverse(sent: string): Found | undefined {
    if (!sent.startsWith("/t/")) return undefined;
    const rest = sent.slice("/t/".length);
    const known = this.#targets
      .filter(({ name }) => below(`/${name}`, `/${rest}`) !== undefined)
      .sort((a, b) => b.name.length - a.name.length)[0];
    const target = known?.name ?? /^[^/?]*/.exec(rest)?.[0] ?? "";
    return { target, path: below(`/${target}`, `/${rest}`) ?? "/" };
  }
}

const found = ({ name, path }: Known & { path: string }): Found => ({ target: name, path });

/** The path below a base, which ends at a segment's edge. Compared as sent: another spelling of the base is not the base. */
function below(base: string, sent: string): string | undefined {
  if (base === "") return sent;
  if (!sent.startsWith(base)) return undefined;
  const rest = sent.slice(base.length);
  return rest === "" || rest.startsWith("?") ? `/${rest}` : rest.startsWith("/") ? rest : undefined;
}

export const blocked = (origin: Origin) =>
  new Refusal(
    "DESTINATION_NOT_ALLOWED",
    `${printable(originText(origin))} is no target that is configured here, and not among proxy.pass: nothing goes there. Ask the operator to add it where this is meant.`,
    { metadata: { effect: "none" } },
  );
