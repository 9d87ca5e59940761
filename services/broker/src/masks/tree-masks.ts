import { Refusal } from "@sallyport/contracts";
import { type MaskEntry, MaskSet, maskText } from "@sallyport/masking";
import type { Clock } from "@sallyport/service";
import type { State } from "@sallyport/state";
import type { SecretReader } from "../stores/secret-store.ts";
import type { DerivedValue } from "../targets/inject/injected.ts";
import { CleanTexts } from "./clean-texts.ts";
import { type Derivation, noDerivation } from "./derivation.ts";
import type { DerivedLedger, Ledger } from "./derived-ledger.ts";
import { HeldSet, type UsedSet } from "./held-set.ts";
import { entriesOf, entriesOfDerived, type IssuedEntry, unmaskable, unmaskableDerived } from "./issued-entries.ts";
import { Rounds } from "./rounds.ts";

/** What was issued in a tree, by name only: shared state never holds a value. */
interface IssuedRef {
  readonly secret: string;
  readonly version: string;
}

interface Tree {
  compiled: HeldSet;
  /** How many of `held` the compiled set has: whoever finds it behind compiles anew, however many uses run at once. */
  size: number;
  /** `secret@version` of everything that was issued. */
  readonly held: Map<string, IssuedEntry[]>;
  /** What was derived for single requests of the tree, and the ledger's version that the compiled set has of it. */
  derived: IssuedEntry[];
  derivedVersion: number;
  usedAt: number;
}

/** Milliseconds without a use after which a tree's values are zeroed here; they are read again where it comes back. */
const idleMs = 15 * 60_000;
/** Milliseconds that a reference outlives its last use: longer than any credential of the tree. */
const referenceMs = 24 * 3_600_000;

/**
 * The mask sets: for each tree of agents, every value that was issued in it. What one broker issued, every broker masks,
 * since references go through shared state before the value is used; a broker that cannot assemble the set refuses.
 */
export class TreeMasks {
  readonly #state: State;
  readonly #reader: SecretReader;
  readonly #clock: Clock;
  readonly #own: () => MaskEntry[];
  readonly #derivation: Derivation;
  readonly #ledger: DerivedLedger | undefined;
  readonly #trees = new Map<string, Tree>();
  readonly #sweeper: NodeJS.Timeout;
  /** For trees that were issued nothing yet. */
  readonly #none: HeldSet;
  readonly #texts = new CleanTexts(maskText);
  readonly #listings = new Rounds<string[]>();

  /**
   * @param own the broker's own store credentials, which no answer may show either
   * @param derivation what travels with a secret or is made from it
   * @param ledger where derived values lie that cannot be read again; left out where no target derives any
   */
  constructor(
    state: State,
    reader: SecretReader,
    clock: Clock,
    own: () => MaskEntry[],
    derivation: Derivation = noDerivation,
    ledger?: DerivedLedger,
  ) {
    this.#state = state;
    this.#reader = reader;
    this.#clock = clock;
    this.#own = own;
    this.#derivation = derivation;
    this.#ledger = ledger;
    this.#none = new HeldSet(MaskSet.compile(own()));
    this.#sweeper = setInterval(() => this.#sweep(), 60_000).unref();
  }

  /**
   * The set for one use: everything issued in the tree before, this secret's fields, and what was derived from them. References, and
   * what cannot be read again, are in shared state when this returns.
   *
   * @param values the fields that were just fetched; copied, so that the caller can zero its own
   * @param derived signatures, tokens and the like that were made for this request
   * @returns the set, to be disposed of when the answer has ended
   */
  async including(
    rootSid: string,
    issued: IssuedRef,
    values: ReadonlyMap<string, Uint8Array>,
    derived: readonly DerivedValue[] = [],
  ): Promise<UsedSet> {
    // What the tree holds already was looked at when it came.
    const held = this.#trees.get(rootSid)?.held.has(key(issued)) === true;
    const refused = (held ? undefined : unmaskable(issued.secret, values, this.#derivation)) ?? unmaskableDerived(issued.secret, derived);
    if (refused !== undefined) throw new Refusal("MASKING_UNAVAILABLE", refused);
    try {
      await this.#writeReference(rootSid, issued);
      const tree = this.#tree(rootSid);
      if (!tree.held.has(key(issued))) tree.held.set(key(issued), entriesOf(issued.secret, values, this.#derivation));
      // Not before this one's own reference is there: of two uses that begin at once, at least one then knows of the other.
      const listing = this.#listings.ask(rootSid, () => this.#references(rootSid));
      const [listed, ledger] = await Promise.all([listing, this.#derived(rootSid, issued.secret, derived)]);
      for (const id of listed) {
        if (!tree.held.has(id)) tree.held.set(id, await this.#readAgain(id));
      }
      if (tree.size !== tree.held.size || tree.derivedVersion < ledger.version) this.#compile(tree, ledger);
      return tree.compiled.hold();
    } catch (error) {
      if (error instanceof Refusal && (error.reason === "STATE_UNAVAILABLE" || error.reason === "RATE_LIMITED")) throw error;
      throw new Refusal(
        "MASKING_UNAVAILABLE",
        "What was issued to this tree before cannot be read now, so its answers could not be masked; try again in a moment.",
        {
          cause: error,
          retryAfterMs: 1000,
        },
      );
    }
  }

  /** Masks text of the agent's that others will read (a summary, a preview): what its tree was issued so far on this broker. */
  mask(rootSid: string, text: string): string {
    return this.#texts.mask((this.#trees.get(rootSid)?.compiled ?? this.#none).set, text);
  }

  /** Zeroes a tree's values, once it can bring nothing back any more. */
  drop(rootSid: string): void {
    const tree = this.#trees.get(rootSid);
    if (tree === undefined) return;
    this.#trees.delete(rootSid);
    tree.compiled.retire();
    for (const entries of [...tree.held.values(), tree.derived]) for (const entry of entries) entry.value.fill(0);
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const rootSid of [...this.#trees.keys()]) this.drop(rootSid);
  }

  #tree(rootSid: string): Tree {
    const tree = this.#trees.get(rootSid) ?? this.#newTree();
    tree.usedAt = this.#clock.monotonic();
    this.#trees.set(rootSid, tree);
    return tree;
  }

  #newTree(): Tree {
    return { compiled: new HeldSet(MaskSet.compile(this.#own())), size: 0, held: new Map(), derived: [], derivedVersion: 0, usedAt: 0 };
  }

  async #derived(rootSid: string, secret: string, derived: readonly DerivedValue[]): Promise<Ledger> {
    if (this.#ledger !== undefined)
      return derived.length === 0
        ? this.#ledger.read(rootSid)
        : this.#ledger.add(
            rootSid,
            derived.map((value) => ({ ...value, secret })),
          );
    if (derived.length > 0) throw new Error("derived values have nowhere to be kept");
    return { version: 0, values: [] };
  }

  #compile(tree: Tree, ledger: Ledger): void {
    const before = tree.compiled;
    // A use that read the ledger earlier must not take away what a later one has read since.
    if (ledger.version > tree.derivedVersion) {
      for (const { value } of tree.derived) value.fill(0);
      tree.derived = entriesOfDerived(ledger.values);
      tree.derivedVersion = ledger.version;
    }
    tree.size = tree.held.size;
    const all = [...this.#own(), ...[...tree.held.values()].flat(), ...tree.derived];
    const secrets = all.filter((entry) => !("isName" in entry) || !entry.isName);
    const set = MaskSet.compile(all);
    tree.compiled = new HeldSet(set, secrets.length === all.length ? set : MaskSet.compile(secrets));
    before.retire();
  }

  async #writeReference(rootSid: string, issued: IssuedRef): Promise<void> {
    if (this.#trees.get(rootSid)?.held.has(key(issued))) return;
    await this.#state.create("issued", `${rootSid}/${key(issued)}`, "{}", { ttlMs: referenceMs });
  }

  /** `secret@version` of everything that any broker issued in the tree. */
  async #references(rootSid: string): Promise<string[]> {
    const prefix = `${rootSid}/`;
    const ids: string[] = [];
    for (let after = prefix; ; ) {
      const page = await this.#state.list("issued", { after, limit: 100 });
      for (const { id } of page) if (id.startsWith(prefix)) ids.push(id.slice(prefix.length));
      const last = page.at(-1)?.id;
      if (page.length < 100 || last === undefined || !last.startsWith(prefix)) return ids;
      after = last;
    }
  }

  async #readAgain(id: string): Promise<IssuedEntry[]> {
    const at = id.lastIndexOf("@");
    const issued = { secret: id.slice(0, at), version: id.slice(at + 1) };
    const read = await this.#reader.read(issued.secret, issued.version);
    try {
      return entriesOf(issued.secret, read.fields, this.#derivation);
    } finally {
      for (const value of read.fields.values()) value.fill(0);
    }
  }

  #sweep(): void {
    const before = this.#clock.monotonic() - idleMs;
    for (const [rootSid, tree] of this.#trees) if (tree.usedAt < before) this.drop(rootSid);
  }
}

const key = (issued: IssuedRef) => `${issued.secret}@${issued.version}`;
