import type { CedarValue, EntityUid } from "../entity.ts";

/** Told where the compiled form cannot vouch for an answer: the official engine is asked instead. */
export class NotCompiled extends Error {
  override readonly name = "NotCompiled";
}

/**
 * A value while an expression is evaluated. Longs are numbers: what leaves the integers that a number holds exactly is
 * {@link NotCompiled}, so that 64-bit overflow is judged where it is defined.
 */
export type Value = boolean | number | string | EntityValue | SetValue | RecordValue;

export class EntityValue {
  readonly uid: EntityUid;
  constructor(uid: EntityUid) {
    this.uid = uid;
  }
}

export class SetValue {
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    this.items = items;
  }

  contains(value: Value): boolean {
    return this.items.some((item) => equal(item, value));
  }

  within(other: SetValue): boolean {
    return this.items.every((item) => other.contains(item));
  }
}

export class RecordValue {
  readonly attributes: ReadonlyMap<string, Value>;
  constructor(attributes: ReadonlyMap<string, Value>) {
    this.attributes = attributes;
  }

  get(name: string): Value | undefined {
    return this.attributes.get(name);
  }
}

/** A request's context in Cedar's JSON, of which only what is read becomes values; as a whole it is not compared. */
export class JsonRecord extends RecordValue {
  readonly #json: Readonly<Record<string, CedarValue>>;
  constructor(json: Readonly<Record<string, CedarValue>>) {
    super(none);
    this.#json = json;
  }

  override get(name: string): Value | undefined {
    return Object.hasOwn(this.#json, name) ? valueOfJson(this.#json[name] as CedarValue) : undefined;
  }
}

const none: ReadonlyMap<string, Value> = new Map();

/** Cedar's `==`: values of different types differ, sets are equal whatever their order and repetitions. */
export function equal(one: Value, other: Value): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object") return false;
  if (one instanceof EntityValue) return other instanceof EntityValue && sameUid(one.uid, other.uid);
  if (one instanceof SetValue) return other instanceof SetValue && one.within(other) && other.within(one);
  if (!(other instanceof RecordValue)) return false;
  if (one instanceof JsonRecord || other instanceof JsonRecord) throw new NotCompiled("a whole context");
  if (one.attributes.size !== other.attributes.size) return false;
  for (const [name, value] of one.attributes) {
    const another = other.attributes.get(name);
    if (another === undefined || !equal(value, another)) return false;
  }
  return true;
}

export const sameUid = (one: EntityUid, other: EntityUid): boolean => one === other || (one.id === other.id && one.type === other.type);

/** A value from Cedar's JSON. @throws NotCompiled for extension values and numbers that may have lost digits */
export function valueOfJson(json: CedarValue): Value {
  if (typeof json === "boolean" || typeof json === "string") return json;
  if (typeof json === "number") return integer(json);
  if (isList(json)) return new SetValue(json.map(valueOfJson));
  if (typeof json !== "object" || json === null || "__extn" in json) throw new NotCompiled("a value of another kind");
  const reference = "__entity" in json ? (json.__entity as unknown as EntityUid) : undefined;
  if (reference !== undefined) return new EntityValue({ type: reference.type, id: reference.id });
  return new RecordValue(new Map(Object.entries(json).map(([name, inner]) => [name, valueOfJson(inner)])));
}

/** The number, where no digit of the 64-bit integer that it stands for can have been lost. @throws NotCompiled */
export function integer(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new NotCompiled("an integer beyond what a number holds exactly");
}

const isList = (json: CedarValue): json is readonly CedarValue[] => Array.isArray(json);
