/** Why a path cannot be followed; `message` is a sentence's end. */
export class PathProblem extends Error {
  override readonly name = "PathProblem";
}

/** One step of a path: a member, an element, or any. */
interface Segment {
  /** A member's name as it is compared; undefined for any. */
  readonly name: string | undefined;
  readonly index: number | undefined;
  /** The step may be taken at any depth below. */
  readonly below: boolean;
  /** Case, `_` and `-` make no difference. */
  readonly loose: boolean;
}

export type CompiledPath = readonly Segment[];

const maxSegments = 32;
const step =
  /^(?:(\.\.?)(?:([A-Za-z_\x80-\uffff][A-Za-z0-9_\x80-\uffff]*)|(\*))|(\.\.)?\[(?:'((?:[^'\\]|\\['\\])*)'|"((?:[^"\\]|\\["\\])*)"|(\d{1,9})|(\*))\])/u;

/**
 * Compiles the part of JSONPath (RFC 9535) that can be followed in a stream: `$`, `.name`, `['name']`, `[0]`, `.*`, `[*]`, and `..` before any
 * of them. No filters, slices, lists or indexes from the end.
 *
 * @throws PathProblem
 */
export function compilePath(path: string): CompiledPath {
  if (!path.startsWith("$")) throw new PathProblem("must be a JSONPath that begins with $, such as $.items[*].email");
  const segments: Segment[] = [];
  for (let at = 1; at < path.length; ) {
    const found = step.exec(path.slice(at));
    if (found === null || segments.length === maxSegments)
      throw new PathProblem("must be a JSONPath of .name, ['name'], [0], .*, [*] and .. only, such as $.items[*].email");
    const [whole, dots, name, , dotsOfBracket, single, double, index] = found;
    const quoted = single ?? double;
    segments.push({
      name: name ?? quoted?.replaceAll(/\\(.)/g, "$1"),
      index: index === undefined ? undefined : Number(index),
      below: dots === ".." || dotsOfBracket === "..",
      loose: false,
    });
    at += whole.length;
  }
  return segments;
}

/** The path to a member of this name, wherever it stands. */
export const fieldPath = (name: string): CompiledPath => [{ name: plain(name), index: undefined, below: true, loose: true }];

/** Names come again and again. */
const known = new Map<string, string>();
const maxKnown = 4096;

function plain(name: string): string {
  const before = known.get(name);
  if (before !== undefined) return before;
  const made = name.toLowerCase().replaceAll(/[_\s-]/g, "");
  if (known.size >= maxKnown) known.clear();
  known.set(name, made);
  return made;
}

/** Where one is in a path: which, and how many of its steps were taken. */
export interface Progress {
  readonly path: number;
  readonly taken: number;
}

/** Follows several paths at once, down a document. */
export class PathFollower {
  readonly #paths: readonly CompiledPath[];

  constructor(paths: readonly CompiledPath[]) {
    this.#paths = paths;
  }

  /** At the document itself. */
  start(): Progress[] {
    return this.#paths.map((_, path) => ({ path, taken: 0 }));
  }

  /** One step down, to a member (text) or an element (number). */
  into(progress: readonly Progress[], key: string | number): Progress[] {
    const next: Progress[] = [];
    for (const each of progress) {
      const segment = this.#paths[each.path]![each.taken];
      if (segment === undefined) continue;
      if (segment.below) next.push(each);
      if (fits(segment, key)) next.push({ path: each.path, taken: each.taken + 1 });
    }
    return next;
  }

  /** The paths that end here, by their number. */
  reached(progress: readonly Progress[]): number[] {
    return progress.filter(({ path, taken }) => taken === this.#paths[path]!.length).map(({ path }) => path);
  }
}

function fits({ name, index, loose }: Segment, key: string | number): boolean {
  if (name === undefined && index === undefined) return true;
  if (typeof key === "number") return key === index;
  return name !== undefined && (loose ? plain(key) === name : key === name);
}

/** Why a path cannot be followed; a sentence's end. */
export function pathProblem(path: string): string | undefined {
  try {
    compilePath(path);
    return undefined;
  } catch (error) {
    if (error instanceof PathProblem) return error.message;
    throw error;
  }
}
