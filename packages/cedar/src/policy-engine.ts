import type { CedarValue, Entity, EntityUid } from "./entity.ts";

/** One question: may this principal take this action on this resource, in this context? */
export interface EngineQuestion {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly context: Readonly<Record<string, CedarValue>>;
  /** Everything that policies may look at: principal, resource, and whatever these are in. Not changed once it was asked about. */
  readonly entities: readonly Entity[];
}

/** What could not be evaluated. Cedar itself skips such a policy; whoever asks decides what that means. */
export interface EvaluationError {
  /** The policy's `@id`; absent where the question itself was not valid. */
  readonly policy?: string;
  readonly message: string;
}

export interface EngineAnswer {
  readonly decision: "allow" | "deny";
  /** By `@id`, sorted: the permits that allowed, the forbids that denied, or none where nothing permitted. */
  readonly determining: readonly string[];
  readonly errors: readonly EvaluationError[];
}

/** Answers questions by one set of policies that does not change. */
export interface PolicyEngine {
  /** Never throws: what goes wrong is an error in the answer, and the decision is then not to be relied on. */
  evaluate(question: EngineQuestion): EngineAnswer;
  /** Gives back what the engine holds; it must not be asked afterwards. */
  release(): void;
}
