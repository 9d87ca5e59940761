/** What is configured: where secrets and targets come from. Nothing in a request adds to it. */
export interface Catalogue {
  /** A secret's categories; undefined where there is no such secret. */
  categoriesOf(secret: string): readonly string[] | undefined;
  hasTarget(target: string): boolean;
}

/** The catalogue of a configuration file's `secrets` and `targets`. */
export function catalogueOf(config: {
  readonly secrets: Readonly<Record<string, { readonly categories?: readonly string[] | undefined }>>;
  readonly targets: Readonly<Record<string, unknown>>;
}): Catalogue {
  const secrets = new Map(Object.entries(config.secrets).map(([name, secret]) => [name, secret.categories ?? []]));
  const targets = new Set(Object.keys(config.targets));
  return { categoriesOf: (secret) => secrets.get(secret), hasTarget: (target) => targets.has(target) };
}
