export { type CedarValue, type Entity, type EntityUid, referenceTo } from "./entity.ts";
export { type Expr, entitiesIn, nodesOf, type PolicyJson } from "./expression.ts";
export { OfficialEngine } from "./official-engine.ts";
export { type Parsed, parsePolicies, policyLimits } from "./parse-policies.ts";
export { type Policy, problemIn } from "./policy.ts";
export type { EngineAnswer, EngineQuestion, EvaluationError, PolicyEngine } from "./policy-engine.ts";
export type { PolicyFile } from "./policy-file.ts";
export { type PolicyProblem, problemText } from "./problem.ts";
export type { Token } from "./tokens.ts";
