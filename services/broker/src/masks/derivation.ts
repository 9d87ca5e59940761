import { type Config, injectedFields } from "@sallyport/service";
import { basicPair } from "../targets/inject/header.ts";

/** What travels with a secret's fields or can be made from them again by any broker: masked like them. */
export interface Derivation {
  /** Whether a field names an account: no secret by itself, so an agent may say it, and one too short to mask is no reason to refuse. */
  isName(secret: string, field: string): boolean;
  /** Account names that the configuration holds. */
  names(secret: string): readonly string[];
  /** Values made from the fields, by what they are. */
  from(secret: string, fields: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array>;
}

/** Nothing is derived. */
export const noDerivation: Derivation = { isName: () => false, names: () => [], from: () => new Map() };

export function derivationOf({ targets }: Pick<Config, "targets">): Derivation {
  const of = (secret: string) => Object.values(targets).filter((target) => target.secret === secret);
  const nameFields = new Set(
    Object.values(targets).flatMap(({ secret, inject }) =>
      (inject === undefined ? [] : injectedFields(inject)).flatMap(({ field, names }) => (names ? [`${secret}#${field}`] : [])),
    ),
  );
  return {
    isName: (secret, field) => nameFields.has(`${secret}#${field}`),
    names: (secret) => of(secret).flatMap(({ inject }) => inject?.basic?.user ?? inject?.oauth?.clientId ?? []),
    from: (secret, fields) =>
      new Map(
        of(secret).flatMap(({ inject }): [string, Uint8Array][] => {
          const basic = inject?.basic;
          const needed = basic === undefined ? undefined : [basic.password, basic.userField ?? basic.password];
          return basic !== undefined && needed?.every((field) => fields.has(field)) ? [["basic", basicPair(basic, fields)]] : [];
        }),
      ),
  };
}

/** Whether any target's injection makes values that no store has. */
export const derives = ({ targets }: Pick<Config, "targets">): boolean =>
  Object.values(targets).some(({ inject }) =>
    (["sigv4", "hmac", "oauth", "githubApp"] as const).some((kind) => inject?.[kind] !== undefined),
  );
