import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { type Context, context, propagation, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import { Egress, type Resolve } from "@sallyport/egress";
import type { Config } from "@sallyport/service";
import type { Dispatcher } from "undici";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { checkRules } from "./allow.ts";
import { credentialHeader } from "./credential.ts";
import { AnswerTimeout, failureOf } from "./failure.ts";
import { answerOf } from "./http-answer.ts";
import { type HttpAnswer, type Operation, unfit } from "./operation.ts";
import { ownDoors } from "./own-doors.ts";

const maxAnswerHeaderBytes = 64 * 1024;

export interface SenderOptions {
  /** For a span around each exchange. */
  readonly tracer?: Tracer;
  /** For tests; the machine's own resolver otherwise. */
  readonly resolve?: Resolve;
}

interface Target {
  readonly config: TargetConfig;
  readonly base: URL;
  readonly egress: Egress;
}

/**
 * Sends an operation with the secret in it. Scheme, host, port and the credential's header are the configuration's; redirects
 * are answers, never followed. Each use has a connection of its own, so that nothing is shared between agents, grants or
 * versions of a secret, and what a target sends after an answer is nobody's.
 */
export class Sender {
  readonly #targets: ReadonlyMap<string, Target>;
  readonly #tracer: Tracer | undefined;

  /** @throws Refusal INVALID_REQUEST where a target's rules or certificates are not what they must be */
  constructor(config: Pick<Config, "targets" | "listen" | "services">, { tracer, resolve }: SenderOptions = {}) {
    this.#tracer = tracer;
    const own = ownDoors(config);
    this.#targets = new Map(
      Object.entries(config.targets).map(([name, target]) => {
        checkRules(target.allow, `targets.${name}.allow`);
        const egress = new Egress({
          allow: target.network,
          setting: `targets.${name}.network`,
          own: () => own,
          ...(target.ca === undefined ? {} : { ca: certificates(target.ca, `targets.${name}.ca`) }),
          ...(resolve === undefined ? {} : { resolve }),
        });
        return [name, { config: target, base: new URL(target.baseUrl), egress }];
      }),
    );
  }

  /**
   * @param fields the secret's fields; the one that is injected is read here and nowhere kept
   * @param signal gives the exchange up, the answer's body included; its reason is what is thrown
   * @throws Refusal DESTINATION_NOT_ALLOWED, TOO_LARGE, INVALID_REQUEST, STORE_UNAVAILABLE: nothing was sent
   * @throws Refusal TARGET_UNAVAILABLE: nothing was sent, or nothing that asks for an effect
   * @throws Refusal OUTCOME_UNKNOWN, RESPONSE_UNINSPECTABLE: the effect may have happened
   */
  async send(operation: Operation, fields: ReadonlyMap<string, Uint8Array>, signal: AbortSignal): Promise<HttpAnswer> {
    const target = this.#targets.get(operation.target);
    if (target === undefined) throw new Refusal("DENIED_BY_POLICY", "There is no such target.");
    const unfitBecause = unfit({ ...operation, config: target.config });
    if (unfitBecause !== undefined) throw unfitBecause;
    const { span, active } = this.#span(operation, target);
    const timeoutMs = target.config.timeoutSeconds * 1000;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new AnswerTimeout()), timeoutMs);
    const dispatcher = target.egress.dispatcher({
      pipelining: 0,
      maxHeaderSize: maxAnswerHeaderBytes,
      headersTimeout: 0,
      bodyTimeout: timeoutMs,
    });
    const end = (error?: unknown) => {
      void dispatcher.destroy().catch(() => undefined);
      if (error !== undefined)
        span?.setStatus({ code: SpanStatusCode.ERROR, ...(error instanceof Refusal ? { message: error.reason } : {}) });
      span?.end();
    };
    const failure = (error: unknown) =>
      failureOf(late.signal.aborted && !signal.aborted ? late.signal.reason : error, operation, timeoutMs, signal);
    try {
      const request = requestOf(operation, target, fields, active, () => timer.refresh());
      const answer = await dispatcher.request({ ...request, signal: AbortSignal.any([signal, late.signal]) });
      clearTimeout(timer);
      span?.setAttribute("http.response.status_code", answer.statusCode);
      return answerOf(answer, { maxBodyBytes: target.config.maxBodyBytes, failure, ended: end });
    } catch (error) {
      clearTimeout(timer);
      const refusal = failure(error);
      end(refusal);
      throw refusal;
    }
  }

  /** Each use ends its own connection; nothing else is open. */
  async close(): Promise<void> {
    for (const { egress } of this.#targets.values()) await egress.close();
  }

  #span(operation: Operation, { base }: Target): { span: Span | undefined; active: Context } {
    const attributes = { "http.request.method": operation.method, "server.address": base.hostname, "sallyport.target": operation.target };
    const span = this.#tracer?.startSpan(operation.method, { kind: SpanKind.CLIENT, attributes });
    return { span, active: span === undefined ? context.active() : trace.setSpan(context.active(), span) };
  }
}

/** @param moved called with each piece of an upload: a target has its time from the last one */
function requestOf(
  operation: Operation,
  { config, base }: Target,
  fields: ReadonlyMap<string, Uint8Array>,
  active: Context,
  moved: () => void,
): Dispatcher.RequestOptions {
  const { upload } = operation;
  const traced: Record<string, string> = {};
  propagation.inject(active, traced);
  const headers: [string, string][] = [
    ...operation.headers,
    // What comes back must be read to be masked.
    ["accept-encoding", "identity"],
    ...Object.entries(traced),
    ...(upload === undefined ? [] : [["content-length", String(upload.size)] as [string, string]]),
    // Last: nothing that the agent sends takes its place.
    credentialHeader(config, fields),
  ];
  return {
    origin: base.origin,
    path: `${base.pathname.replace(/\/$/, "")}${operation.sent}`,
    method: operation.method as Dispatcher.HttpMethod,
    headers: headers.flat(),
    body:
      upload !== undefined
        ? Readable.from(watched(upload.pieces, moved), { objectMode: false })
        : operation.body.length > 0
          ? operation.body
          : null,
  };
}

async function* watched(pieces: AsyncIterable<Uint8Array>, moved: () => void): AsyncIterable<Uint8Array> {
  for await (const piece of pieces) {
    moved();
    yield piece;
  }
}

function certificates(path: string, setting: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Refusal("INVALID_REQUEST", `${setting}: the file ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, {
      cause,
    });
  }
}
