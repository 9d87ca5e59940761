import { context, propagation, SpanKind, type Tracer, trace } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import type { Egress } from "@sallyport/egress";

export interface ApiAnswer {
  readonly status: number;
  /** The JSON object of the answer; undefined where it is none. */
  readonly json: Record<string, unknown> | undefined;
}

export interface ApiOptions {
  readonly address: string;
  readonly namespace?: string | undefined;
  readonly egress: Egress;
  /** Bound for one answer. */
  readonly timeoutMs: number;
  readonly tracer?: Tracer | undefined;
}

const maxAnswerBytes = 2 * 1024 * 1024;

/** The HTTP API of OpenBao and Vault: bounded exchanges of JSON below `/v1/`. */
export class OpenBaoApi {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  /**
   * @param path percent-encoded, with query
   * @param operation what the span is called: never the path, which names the secret
   * @throws Refusal DESTINATION_NOT_ALLOWED, TARGET_UNAVAILABLE where there is no answer in time
   */
  async call(operation: string, method: "GET" | "POST", path: string, token: string | undefined, body?: object): Promise<ApiAnswer> {
    const { address, namespace, egress, timeoutMs, tracer } = this.#options;
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
        timeoutMs,
        maxBodyBytes: maxAnswerBytes,
      });
      span?.setAttribute("http.response.status_code", answer.status);
      return { status: answer.status, json: parsed(answer.body) };
    } catch (error) {
      span?.setStatus({ code: 2, ...(error instanceof Refusal ? { message: error.reason } : {}) });
      throw error;
    } finally {
      span?.end();
    }
  }

  close(): Promise<void> {
    return this.#options.egress.close();
  }
}

/** What is not JSON goes nowhere: it could hold a value. */
function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  } finally {
    body.fill(0);
  }
}
