import { Refusal } from "@sallyport/contracts";
import type { Config } from "@sallyport/service";

export type SecretConfig = Config["secrets"][string];
export type TargetConfig = Config["targets"][string];

/** What is configured under a name, or the name alone: an unknown name goes the same way as a known one, to the same answer. */
export interface Named<T> {
  readonly name: string;
  readonly config: T | undefined;
}

/** The secrets and targets of the configuration. */
export class Catalogue {
  readonly #secrets: ReadonlyMap<string, SecretConfig>;
  readonly #targets: ReadonlyMap<string, TargetConfig>;

  constructor(config: Pick<Config, "secrets" | "targets">) {
    this.#secrets = new Map(Object.entries(config.secrets));
    this.#targets = new Map(Object.entries(config.targets));
  }

  secret(name: string): Named<SecretConfig> {
    return { name: checkedName(name, "secret"), config: this.#secrets.get(name) };
  }

  target(name: string): Named<TargetConfig> {
    return { name: checkedName(name, "target"), config: this.#targets.get(name) };
  }

  /** The secret that a use names, or the only one of its target. */
  secretFor(name: string, target: Named<TargetConfig>): Named<SecretConfig> {
    if (name !== "") return this.secret(name);
    if (target.config === undefined) return { name: "", config: undefined };
    return this.secret(target.config.secret);
  }

  /** Names below a prefix that ends at a segment's edge, in order. */
  secretNames(prefix: string): string[] {
    const edge = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
    return [...this.#secrets.keys()].filter((name) => name.startsWith(edge)).sort();
  }
}

const nameForm = /^[a-zA-Z0-9][a-zA-Z0-9._-]*(\/[a-zA-Z0-9][a-zA-Z0-9._-]*)*$/;

/** One canonical form for names: ASCII segments, so that no look-alike or normalisation variant is a second identity. */
function checkedName(name: string, what: "secret" | "target"): string {
  if (name.length <= 200 && nameForm.test(name)) return name;
  throw new Refusal(
    "INVALID_REQUEST",
    `A ${what}'s name has letters, digits, ".", "_" and "-" in segments parted by "/", at most 200; this one does not.`,
  );
}
