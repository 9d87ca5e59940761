import { type CedarValue, type EngineAnswer, type Entity, type EntityUid, referenceTo } from "@sallyport/cedar";
import { actionName } from "@sallyport/identity";
import { actionRules } from "../action-rules.ts";
import type { PolicyBundle } from "../bundle/policy-bundle.ts";
import type { Catalogue } from "../catalogue.ts";
import type { Decision, LinkDecision } from "./decision.ts";
import { chainEntities, installation, principalUid, secretEntity, secretUid, targetEntity, targetUid } from "./entities.ts";
import { factsFor } from "./facts.ts";
import { grantedApprovals } from "./grants.ts";
import type { Question } from "./question.ts";
import { allowedSentence, approvalSentence, deniedSentence, errorSentence } from "./sentences.ts";

/**
 * Decides for a whole chain: every link, the principal's included, is asked as its own principal, and all must be allowed.
 *
 * - An approval only ever lifts a forbid; whether it would be enough is found by asking again as if all were given.
 * - An error anywhere is a decision of its own, also where the rest would allow or deny without it.
 * - A secret or target that is not configured is denied with the answer, and after the work, of one that nothing permits.
 *
 * @param now epoch milliseconds
 */
export function decide(bundle: PolicyBundle, catalogue: Catalogue, question: Question, now: number): Decision {
  const asked = understand(catalogue, question);
  const uniformly = (verdict: "denied" | "error", link: Partial<LinkDecision> = {}): LinkDecision[] =>
    question.chain.links.map(({ id }) => ({ link: id, verdict, determining: [], errors: [], ...link }));
  const common = { policyVersion: bundle.version, determining: [] };
  if (asked.kind === "meaningless") return { verdict: "denied", ...common, sentence: asked.sentence, links: uniformly("denied") };
  if (asked.kind === "malformed") {
    const errors = [{ message: asked.message }];
    return { verdict: "error", ...common, sentence: errorSentence(question, undefined, errors), links: uniformly("error", { errors }) };
  }

  const ask = (approvals: Iterable<string>) => askEveryLink(bundle, question, asked, [...approvals]);
  const answers = ask(grantedApprovals(question, now));
  // Asked in every case but the plain allow, so that how long a denial takes tells nothing of its cause.
  const lifted = asked.exists && answers.every(isAllow) ? answers : ask(approvalNames(bundle));
  const links = question.chain.links.map(({ id }, index) => linkDecision(bundle, id, answers[index]!, lifted[index]!));

  const failing = links.filter((link) => link.verdict === "error");
  if (failing.length > 0) {
    const errors = failing.flatMap((link) => link.errors);
    const determining = distinct(errors.flatMap(({ policy }) => policy ?? []));
    return { verdict: "error", ...common, determining, sentence: errorSentence(question, failing[0], errors), links };
  }
  const denied = links.filter((link) => link.verdict === "denied");
  if (denied.length > 0) {
    const determining = distinct(denied.flatMap((link) => link.determining));
    return { verdict: "denied", ...common, determining, sentence: deniedSentence(question, denied[0]!), links };
  }
  if (!asked.exists) {
    const unknown = uniformly("denied");
    return { verdict: "denied", ...common, sentence: deniedSentence(question, unknown[0]!), links: unknown };
  }
  const held = links.filter((link) => link.verdict === "needs-approval");
  if (held.length > 0) {
    const determining = distinct(held.flatMap((link) => link.determining));
    const rules = new Map(determining.map((id) => bundle.liftable.get(id)!).map((rule) => [rule.name, rule]));
    const approvals = [...rules.values()];
    return {
      verdict: "needs-approval",
      ...common,
      determining,
      approvals,
      sentence: approvalSentence(question, held[0]!, approvals),
      links,
    };
  }
  const determining = distinct(links.flatMap((link) => link.determining));
  const obligations = determining.flatMap((id) => bundle.obligations.get(id) ?? []);
  return { verdict: "allowed", ...common, determining, obligations, sentence: allowedSentence(question, determining), links };
}

/** A question in Cedar's terms. */
interface Asked {
  readonly kind: "asked";
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly facts: Readonly<Record<string, CedarValue>>;
  readonly entities: readonly Entity[];
  /** Whether all that it names is configured. */
  readonly exists: boolean;
}

function understand(
  catalogue: Catalogue,
  question: Question,
): Asked | { kind: "meaningless"; sentence: string } | { kind: "malformed"; message: string } {
  const meaningless = (sentence: string) => ({ kind: "meaningless", sentence }) as const;
  const name = actionName(question.action);
  const rule = name === undefined ? undefined : actionRules.get(name);
  if (name === undefined || rule === undefined) return meaningless("No known action was named, so nothing is allowed; name one.");
  const { secret, target } = question;
  if (secret === "" && rule.on === "secret") return meaningless(`To ${name}, a secret must be named; none was.`);
  if (secret !== "" && rule.on === "installation") return meaningless(`To ${name} concerns no secret, and one was named.`);
  if ((target !== "") !== rule.atTarget)
    return meaningless(
      rule.atTarget ? `To ${name}, a target must be named; none was.` : `To ${name} concerns no target, and one was named.`,
    );
  const parsed = factsFor(rule, question.facts);
  if (parsed.kind === "malformed") return parsed;
  const entities = chainEntities(question.chain);
  let facts: Record<string, CedarValue> = { ...parsed.facts };
  if (secret !== "") entities.push(secretEntity(secret, catalogue));
  if (target !== "") {
    entities.push(targetEntity(target));
    facts = { ...facts, target: referenceTo(targetUid(target)) };
  }
  const exists = (secret === "" || catalogue.categoriesOf(secret) !== undefined) && (target === "" || catalogue.hasTarget(target));
  return {
    kind: "asked",
    action: { type: "Action", id: name },
    resource: secret === "" ? installation : secretUid(secret),
    facts,
    entities,
    exists,
  };
}

function askEveryLink(bundle: PolicyBundle, { chain }: Question, asked: Asked, approvals: string[]): EngineAnswer[] {
  const { action, resource, facts, entities } = asked;
  const context = { ...facts, approvals };
  return chain.links.map((link) =>
    withAllowance(bundle, asked, bundle.engine.evaluate({ principal: principalUid(link), action, resource, context, entities })),
  );
}

function linkDecision(bundle: PolicyBundle, link: string, answer: EngineAnswer, lifted: EngineAnswer): LinkDecision {
  const { determining } = answer;
  const errors = [
    ...answer.errors,
    ...(lifted === answer ? [] : lifted.errors.filter((error) => !answer.errors.some((known) => known.policy === error.policy))),
  ];
  if (errors.length > 0) return { link, verdict: "error", determining, errors };
  if (answer.decision === "allow") return { link, verdict: "allowed", determining, errors };
  const liftable = determining.length > 0 && determining.every((id) => bundle.liftable.has(id));
  return { link, verdict: liftable && lifted.decision === "allow" ? "needs-approval" : "denied", determining, errors };
}

/**
 * An enrolment ticket that names no key is for whoever is first: no permit allows it that does not say so, and one must for each
 * link. Its forbids hold as for any other.
 */
const withAllowance = (bundle: PolicyBundle, { facts }: Asked, answer: EngineAnswer): EngineAnswer =>
  facts.ticket !== "unbound" || answer.decision !== "allow" || answer.determining.some((id) => bundle.unboundTickets.has(id))
    ? answer
    : { ...answer, decision: "deny", determining: [] };

const isAllow = (answer: EngineAnswer) => answer.decision === "allow" && answer.errors.length === 0;
const approvalNames = (bundle: PolicyBundle) => distinct([...bundle.liftable.values()].map(({ name }) => name));
const distinct = (names: readonly string[]) => [...new Set(names)].sort();
