import type { Tracer } from "@opentelemetry/api";
import { printable, Refusal } from "@sallyport/contracts";
import type { Clock, Health, OpenbaoStore as OpenbaoConfig } from "@sallyport/service";
import { egressFor } from "../guarded-egress.ts";
import { refusals } from "../refusals.ts";
import { type ApiAnswer, type ApiCall, isAnotherNodes, isSealed, OpenBaoApi } from "./openbao-api.ts";
import { OpenBaoSession } from "./openbao-session.ts";

export interface OpenBaoOptions {
  readonly clock: Clock;
  readonly tracer?: Tracer | undefined;
  /** Bound for one answer of the vault. Default 5000. */
  readonly timeoutMs?: number;
}

/** Calls of the vault as the broker, signed in, with every unclear answer as a refusal. */
export class OpenBaoClient {
  readonly #name: string;
  readonly #api: OpenBaoApi;
  readonly #session: OpenBaoSession;

  /** @throws Refusal INVALID_REQUEST where a reference or the certificates are not what they must be */
  constructor(name: string, config: OpenbaoConfig, { clock, tracer, timeoutMs = 5000 }: OpenBaoOptions) {
    this.#name = name;
    const egress = egressFor(name, config, timeoutMs);
    this.#api = new OpenBaoApi({ addresses: config.address, namespace: config.namespace, egress, timeoutMs, tracer });
    this.#session = new OpenBaoSession(name, config.auth, this.#api, clock);
  }

  /** Once more after signing in anew where the vault has forgotten the token: a restarted vault heals by itself. */
  async call(call: Omit<ApiCall, "token">): Promise<ApiAnswer> {
    try {
      const token = await this.#session.token();
      call.signal?.throwIfAborted();
      const answer = await this.#api.call({ ...call, token });
      if (isSealed(answer)) throw refusals.sealed(this.#name);
      if (isAnotherNodes(answer)) throw refusals.failed(this.#name, "has no active node, or none at a configured address");
      if (answer.status !== 403 || !(await this.#session.forgotten(token))) return answer;
      return await this.#api.call({ ...call, token: await this.#session.token() });
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason;
      if (error instanceof Refusal && ["DESTINATION_NOT_ALLOWED", "STORE_UNAVAILABLE"].includes(error.reason)) throw error;
      const nothingDone = call.method === "GET" || (error instanceof Refusal && error.metadata.effect === "none");
      throw nothingDone
        ? refusals.failed(this.#name, "did not answer in time, or broke off", error)
        : refusals.maybeWritten(this.#name, "did not answer", error);
    }
  }

  /** What an answer means that is neither the wanted one nor "no". */
  unclear(status: number): Refusal {
    return refusals.failed(
      this.#name,
      status === 200 ? "gave an answer that cannot be understood" : `answered ${printable(String(status), 3)}`,
    );
  }

  /** The refusal for a write that was answered with neither success nor "no". */
  unclearWrite(status: number): Refusal {
    return status >= 400 && status < 500
      ? this.unclear(status)
      : refusals.maybeWritten(this.#name, `gave no clear answer (${printable(String(status), 3)})`);
  }

  ownCredentials(): readonly Uint8Array[] {
    return this.#session.credentials();
  }

  async health(): Promise<Health> {
    try {
      const { serving, sealed } = await this.#api.serving();
      if (serving === 0 && sealed > 0) return { ok: false, why: `Store ${this.#name} is sealed; an operator must unseal it.` };
      if (serving === 0) return { ok: false, why: `Store ${this.#name} cannot be reached, or none of its nodes serves.` };
      await this.#session.token();
      return { ok: true };
    } catch (error) {
      return { ok: false, why: (error as Error).message };
    }
  }

  async close(): Promise<void> {
    await this.#session.close();
    await this.#api.close();
  }
}
