import { context, propagation, SpanKind, type Tracer, trace } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import type { Egress } from "@sallyport/egress";
import { jsonAnswer } from "../json-answer.ts";
import { ActiveNode } from "./active-node.ts";

export interface ApiAnswer {
  readonly status: number;
  /** The JSON object of the answer; undefined where it is none. */
  readonly json: Record<string, unknown> | undefined;
}

export interface ApiOptions {
  /** Of all nodes: one is asked, the next where it cannot serve. No other address is ever asked, whatever an answer says. */
  readonly addresses: readonly string[];
  readonly namespace?: string | undefined;
  readonly egress: Egress;
  /** Bound for one answer, all nodes together. */
  readonly timeoutMs: number;
  readonly tracer?: Tracer | undefined;
}

export interface ApiCall {
  /** What the span is called: never the path, which names the secret. */
  readonly operation: string;
  readonly method: "GET" | "POST";
  /** Percent-encoded, with query. */
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: object;
  /** Whether it may be sent to another node where one broke off in the middle of it. Default: what is got, and nothing that is posted. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal | undefined;
}

const maxAnswerBytes = 2 * 1024 * 1024;

/** The HTTP API of OpenBao and Vault: bounded exchanges of JSON below `/v1/`, with whichever of the configured nodes serves. */
export class OpenBaoApi {
  readonly #options: ApiOptions;
  readonly #active: ActiveNode;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#active = new ActiveNode(options.addresses.length, async (node, signal) => {
      const answer = await this.#exchange({ operation: "health", method: "GET", path: "sys/health", signal }, node, options.timeoutMs);
      return answer.status === 200;
    });
  }

  /** @throws Refusal DESTINATION_NOT_ALLOWED, TARGET_UNAVAILABLE where there is no answer in time; the reason of `signal` */
  async call(call: ApiCall): Promise<ApiAnswer> {
    const { addresses, timeoutMs } = this.#options;
    const until = performance.now() + timeoutMs;
    const first = await this.#active.find();
    const left = addresses.map((_, i) => (first + i) % addresses.length);
    for (let node = left.shift() as number; ; ) {
      const more = left.length > 0;
      const [answer, lead] = await this.#tried(call, node, (until - performance.now()) / (left.length + 1), more);
      if (answer !== undefined && !isAnotherNodes(answer)) return answer;
      this.#active.lost();
      if (answer !== undefined && !more) return answer;
      // A standby that names the active node is followed, to an address that configuration has.
      const led = left.indexOf(lead ?? -1);
      node = led < 0 ? (left.shift() as number) : (left.splice(led, 1)[0] as number);
    }
  }

  /** How many nodes answer that they serve or stand by. */
  async serving(signal?: AbortSignal): Promise<{ serving: number; sealed: number }> {
    const answers = await Promise.all(
      this.#options.addresses.map((_, node) =>
        this.#exchange({ operation: "health", method: "GET", path: "sys/health", signal }, node, this.#options.timeoutMs).catch(
          () => undefined,
        ),
      ),
    );
    return {
      // 200 active, 429 standby, 473 performance standby (Vault).
      serving: answers.filter((answer) => [200, 429, 473].includes(answer?.status ?? 0)).length,
      sealed: answers.filter((answer) => answer?.status === 503).length,
    };
  }

  close(): Promise<void> {
    return this.#options.egress.close();
  }

  /** An answer, or nothing and perhaps the node to ask instead. @throws where no other node may be asked */
  async #tried(call: ApiCall, node: number, timeoutMs: number, more: boolean): Promise<[ApiAnswer | undefined, number?]> {
    try {
      const { location, ...answer } = await this.#exchange(call, node, timeoutMs);
      const lead = location === undefined ? -1 : this.#options.addresses.findIndex((address) => isBelow(address, location));
      return [answer, lead];
    } catch (error) {
      const unsent = error instanceof Refusal && error.metadata.effect === "none";
      const repeatable = call.repeatable ?? call.method === "GET";
      const allowed = !(error instanceof Refusal && error.reason === "DESTINATION_NOT_ALLOWED");
      if (more && allowed && (unsent || repeatable) && call.signal?.aborted !== true) return [undefined];
      throw error;
    }
  }

  async #exchange(call: ApiCall, node: number, timeoutMs: number): Promise<ApiAnswer & { location?: string }> {
    const { addresses, namespace, egress, tracer } = this.#options;
    const { operation, method, path, token, body, signal } = call;
    const address = addresses[node] as string;
    const span = tracer?.startSpan(`store ${operation}`, {
      kind: SpanKind.CLIENT,
      attributes: { "http.request.method": method, "server.address": new URL(address).hostname },
    });
    const traced: Record<string, string> = {};
    propagation.inject(span === undefined ? context.active() : trace.setSpan(context.active(), span), traced);
    try {
      const answer = await egress.fetch(`${address.replace(/\/$/, "")}/v1/${path}`, {
        method,
        headers: {
          ...traced,
          "x-vault-request": "true",
          ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
          ...(token === undefined ? {} : { "x-vault-token": token }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeoutMs: Math.max(1, Math.round(timeoutMs)),
        maxBodyBytes: maxAnswerBytes,
        ...(signal === undefined ? {} : { signal }),
      });
      span?.setAttribute("http.response.status_code", answer.status);
      const { location } = answer.headers;
      return { status: answer.status, json: jsonAnswer(answer.body), ...(location === undefined ? {} : { location }) };
    } catch (error) {
      span?.setStatus({ code: 2, ...(error instanceof Refusal ? { message: error.reason } : {}) });
      throw error;
    } finally {
      span?.end();
    }
  }
}

/** Sealed, or a standby that does not pass requests on (307, 308): another node may serve, and nothing was done here. */
export const isAnotherNodes = ({ status, json }: ApiAnswer): boolean =>
  status === 307 || status === 308 || isSealed({ status, json }) || (status === 500 && says(json, /active cluster node not found/i));

export const isSealed = ({ status, json }: ApiAnswer): boolean => status === 503 && says(json, /sealed/i);

const says = (json: ApiAnswer["json"], what: RegExp): boolean =>
  Array.isArray(json?.errors) && json.errors.some((error) => typeof error === "string" && what.test(error));

function isBelow(address: string, location: string): boolean {
  return URL.canParse(location) && new URL(location).origin === new URL(address).origin;
}
