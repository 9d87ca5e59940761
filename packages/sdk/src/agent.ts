import type { ChildProcess } from "node:child_process";
import { AccessState, Refusal, type SecretDescription } from "@sallyport/contracts";
import { ProofMaker } from "@sallyport/identity/proof-maker";
import type { CeilingInit } from "./ceiling.ts";
import { type Delegation, delegate, type HandedOver, type TicketFor } from "./delegate.ts";
import type { Endpoints } from "./endpoints.ts";
import { enrol, type SpawnOptions, spawnChild } from "./enrolment.ts";
import { bindingOf, exchangeIdToken } from "./exchange-id-token.ts";
import { readHandover } from "./handover.ts";
import { type Revealed, revealSecret } from "./reveal.ts";
import { type BindingKind, Session } from "./session.ts";
import { type UseOperation, type UseOptions, type UseResult, useRequest, useSecret } from "./use.ts";
import { waitForAccess } from "./wait-for-access.ts";

export interface BindingOption {
  /**
   * `dpop` unless said: each call carries a signature by the agent's key. With `mtls` the agent gets a client certificate for its
   * key, and calls go to the listeners for those with nothing signed per call: dearer to begin, cheaper for many calls. The
   * endpoints, or the parent's handover, must name these listeners.
   */
  readonly binding?: BindingKind;
}

export interface WorkloadOption {
  /** A token of this process's own workload identity, which policy may want beside its key: a trust provider's. */
  readonly workloadToken?: string;
  /** `urn:ietf:params:oauth:token-type:jwt` unless said. */
  readonly workloadTokenType?: string;
}

const jwtType = "urn:ietf:params:oauth:token-type:jwt";

/** How long people may take, unless said otherwise. */
const defaultWaitMs = 10 * 60_000;

/** An agent: its own key pair, its own credential, and what it may do with them. Everything that fails throws a Refusal. */
export class Agent {
  readonly session: Session;

  private constructor(session: Session) {
    this.session = session;
  }

  /** The first agent of a chain: an outside identity (an OIDC token of its workload) becomes a credential for this key. */
  static async signIn(
    options: {
      endpoints: Endpoints;
      subjectToken: string;
      name: string;
      ceiling: CeilingInit;
      key?: ProofMaker;
      /** What `subjectToken` is (RFC 8693 §3); an ID token unless said. */
      subjectTokenType?: string;
    } & BindingOption,
  ): Promise<Agent> {
    const { endpoints, subjectToken, name: agentName, ceiling, key, binding, subjectTokenType: tokenType } = options;
    return new Agent(await exchangeIdToken(endpoints, subjectToken, { agentName, ceiling, key, binding, tokenType }));
  }

  /**
   * A nested agent: redeems the ticket that its parent handed over, with the key whose thumbprint the parent was told.
   * @throws Refusal TICKET_INVALID; INVALID_REQUEST where the handover names no listeners for the binding
   */
  static async fromTicket(handover: string, key: ProofMaker, options: BindingOption & WorkloadOption = {}): Promise<Agent> {
    const { ticket, ...endpoints } = readHandover(handover);
    const session = new Session(endpoints, key, undefined, options.binding);
    try {
      const { workloadToken, workloadTokenType = jwtType } = options;
      const workload = workloadToken === undefined ? {} : { workloadToken, workloadTokenType };
      session.adopt((await session.delegations.redeemTicket({ ticket, binding: bindingOf(session), ...workload })).credential);
      return new Agent(session);
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** The child's side of {@link Agent.spawn}: tells the new key's thumbprint on the pipe and waits there for the ticket. */
  static async enrol(
    input: NodeJS.ReadableStream = process.stdin,
    output: NodeJS.WritableStream = process.stdout,
    options: BindingOption & WorkloadOption = {},
  ): Promise<Agent> {
    const key = ProofMaker.generate();
    return Agent.fromTicket(await enrol(key.thumbprint, input, output), key, options);
  }

  /** `<principal>#<agent>/<child>/…` */
  get id(): string {
    return this.session.chain.links.at(-1)?.id ?? "";
  }
  /** What {@link Agent.revoke} and `sallyport revoke` take. */
  get sessionId(): string {
    return this.session.sessionId;
  }

  /** A ticket for a child's key: one line for its standard input. Good for 60 s, for that key only (or, `unbound`, for the first). */
  delegate(delegation: Delegation & TicketFor): Promise<HandedOver> {
    return delegate(this.session, delegation);
  }

  /**
   * Starts a process as a nested agent, which enrols itself by {@link Agent.enrol}. Nothing usable is in its environment or
   * arguments. Its standard input and output are pipes, free to use once this returns.
   */
  spawn(command: string, args: readonly string[], options: Delegation & SpawnOptions): Promise<{ child: ChildProcess; sessionId: string }> {
    return spawnChild(this.session, command, args, options);
  }

  /** Has the broker use a secret at a target; what comes back is masked. @throws Refusal APPROVAL_REQUIRED with `access_request_id` */
  use(options: UseOptions): Promise<UseResult> {
    return useSecret(this.session.broker, options);
  }

  /** As {@link Agent.use}; where people must approve it first, waits for them. @param waitMs how long, 10 minutes unless said */
  async useOnceApproved(options: UseOptions, waitMs = defaultWaitMs): Promise<UseResult> {
    try {
      return await this.use(options);
    } catch (error) {
      const id = error instanceof Refusal && error.reason === "APPROVAL_REQUIRED" ? error.metadata.access_request_id : undefined;
      if (id === undefined) throw error;
      await this.waitForAccess(id, waitMs, options.signal);
      return this.use({ ...options, accessRequestId: id });
    }
  }

  /**
   * Asks people beforehand, without using anything.
   * @param reason for the reviewer; at most 500 characters
   * @returns what to wait for and to use with; undefined where policy allows it without a review
   */
  async requestAccess(operation: UseOperation, reason = ""): Promise<string | undefined> {
    const { accessRequest } = await this.session.broker.requestAccess({ use: useRequest(operation), reason });
    return accessRequest === undefined || accessRequest.state === AccessState.NOT_NEEDED ? undefined : accessRequest.id;
  }

  /** Waits until people have decided, at most `timeoutMs`. @throws Refusal APPROVAL_REJECTED, APPROVAL_EXPIRED, APPROVAL_REQUIRED */
  waitForAccess(accessRequestId: string, timeoutMs = defaultWaitMs, signal?: AbortSignal): Promise<void> {
    return waitForAccess(this.session.broker, accessRequestId, timeoutMs, signal);
  }

  /** Names of the secrets that this agent may list. */
  async list(prefix = ""): Promise<string[]> {
    const names: string[] = [];
    for (let pageToken = "", more = true; more; more = pageToken !== "") {
      const page = await this.session.broker.list({ prefix, pageToken });
      names.push(...page.secrets.map((secret) => secret.name));
      pageToken = page.nextPageToken;
    }
    return names;
  }

  /** Fields, version, age and fingerprints; a placeholder where a value would stand. */
  async describe(secret: string): Promise<SecretDescription> {
    return (await this.session.broker.describe({ secret })).secret as SecretDescription;
  }

  /**
   * The values themselves, once for each version: only where a policy permits it, and loudly on record. Prefer {@link Agent.use}.
   * @throws Refusal DENIED_BY_POLICY also where they were revealed to this agent before
   */
  reveal(secret: string): Promise<Revealed> {
    return revealSecret(this.session.broker, this.sessionId, secret);
  }

  /** Ends an agent of this one's subtree, or itself, and everything below. */
  async revoke(sessionId: string, reason = ""): Promise<void> {
    await this.session.revocations.revoke({ subject: { case: "sessionId", value: sessionId }, reason });
  }

  close(): void {
    this.session.close();
  }
}
