/** Names one entity: its type and its id. */
export interface EntityUid {
  readonly type: string;
  readonly id: string;
}

/** A value as Cedar's JSON has it. Numbers are 64-bit integers there; none with a fraction is accepted. */
export type CedarValue = boolean | number | string | readonly CedarValue[] | { readonly [key: string]: CedarValue };

/** An entity with its attributes and the entities that it is directly in. */
export interface Entity {
  readonly uid: EntityUid;
  readonly attrs: Readonly<Record<string, CedarValue>>;
  readonly parents: readonly EntityUid[];
}

/** A reference to an entity, as an attribute's value. */
export const referenceTo = (uid: EntityUid): CedarValue => ({ __entity: { type: uid.type, id: uid.id } });
