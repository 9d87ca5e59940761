import { Readable } from "node:stream";
import { type Context, context, propagation, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import { type ClientIdentity, Egress, type Resolve } from "@sallyport/egress";
import { type Config, certificatesIn, upstreamProxyOf } from "@sallyport/service";
import { type Client, type Dispatcher, errors } from "undici";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import { checkRules } from "./allow.ts";
import { dispatched } from "./dispatched.ts";
import { AnswerTimeout, failureOf } from "./failure.ts";
import { answerOf } from "./http-answer.ts";
import type { Injected } from "./inject/injected.ts";
import { type Connection, KeptConnections } from "./kept-connections.ts";
import { type HttpAnswer, type Operation, unfit } from "./operation.ts";
import { ownDoors } from "./own-doors.ts";
import { openWebSocket } from "./web-socket.ts";
import { webSocketAnswer } from "./web-socket-answer.ts";

const maxAnswerHeaderBytes = 64 * 1024;

export interface SenderOptions {
  /** For a span around each exchange. */
  readonly tracer?: Tracer;
  /** For tests; the machine's own resolver otherwise. */
  readonly resolve?: Resolve;
}

/** Whose connection it is: it is used again by nobody else, and for nothing that differs in one of these. */
export interface Holder {
  /** Session of the agent that uses the secret. */
  readonly sid: string;
  readonly secret: string;
  readonly secretVersion: string;
  readonly policyVersion: string;
  /** Whether that agent may still act. */
  readonly live: () => boolean;
  /** @throws Refusal where it may not */
  readonly assertLive: () => void;
}

interface Target {
  readonly config: TargetConfig;
  readonly base: URL;
  readonly egress: Egress;
}

/** To where a connection goes, and as whom. */
interface Way {
  readonly target: Target;
  readonly timeoutMs: number;
  readonly identity: ClientIdentity | undefined;
}

/**
 * Sends an operation with the secret in it. Scheme, host, port and the place of the credential are the configuration's; redirects
 * are answers, never followed. A connection is used again only by the same agent's session with the same version of the secret
 * at the same target under the same policies, and only for a request that is safe to repeat, since the target may be closing it;
 * a use under an approval has one of its own.
 */
export class Sender {
  readonly #targets: ReadonlyMap<string, Target>;
  readonly #kept = new KeptConnections();
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
          ...(target.ca === undefined ? {} : { ca: certificatesIn(target.ca, `targets.${name}.ca`) }),
          ...upstreamProxyOf(target.via, `targets.${name}.via`),
          ...(resolve === undefined ? {} : { resolve }),
        });
        return [name, { config: target, base: new URL(target.baseUrl), egress }];
      }),
    );
  }

  /**
   * @param injected the operation with the secret in it
   * @param holder whose connection may be used again; undefined for one that is this use's alone
   * @param signal gives the exchange up, the answer's body included; its reason is what is thrown
   * @throws Refusal DESTINATION_NOT_ALLOWED, TOO_LARGE, INVALID_REQUEST, STORE_UNAVAILABLE: nothing was sent
   * @throws Refusal TARGET_UNAVAILABLE: nothing was sent, or nothing that asks for an effect
   * @throws Refusal OUTCOME_UNKNOWN, RESPONSE_UNINSPECTABLE: the effect may have happened
   */
  async send(operation: Operation, injected: Injected, signal: AbortSignal, holder?: Holder): Promise<HttpAnswer> {
    const target = this.#targets.get(operation.target);
    if (target === undefined) throw new Refusal("DENIED_BY_POLICY", "There is no such target.");
    const unfitBecause = unfit({ ...operation, config: target.config });
    if (unfitBecause !== undefined) throw unfitBecause;
    const { span, active } = this.#span(operation, target);
    const timeoutMs = target.config.timeoutSeconds * 1000;
    const exchange = new AbortController();
    const timer = setTimeout(() => exchange.abort(new AnswerTimeout()), timeoutMs);
    const giveUp = () => exchange.abort(signal.reason);
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    const failure = (error: unknown) =>
      failureOf(exchange.signal.aborted && !signal.aborted ? exchange.signal.reason : error, operation, timeoutMs, signal);
    const done = (error?: unknown) => {
      signal.removeEventListener("abort", giveUp);
      if (error !== undefined)
        span?.setStatus({ code: SpanStatusCode.ERROR, ...(error instanceof Refusal ? { message: error.reason } : {}) });
      span?.end();
    };
    try {
      if (operation.webSocket !== undefined) {
        const { base, egress } = target;
        const headers = [...Object.entries(tracedBy(active)), ...injected.headers];
        const opened = await openWebSocket(
          { base, egress, maxBodyBytes: target.config.maxBodyBytes },
          { ...injected, headers },
          exchange.signal,
        );
        clearTimeout(timer);
        return webSocketAnswer(opened, { maxBodyBytes: target.config.maxBodyBytes, failure, ended: ({ error }) => done(error) });
      }
      const request = requestOf(operation, target, injected, active, () => timer.refresh());
      const way = { target, timeoutMs, identity: injected.identity };
      const { answer, end } = await this.#exchange(operation, way, request, exchange.signal, holder);
      clearTimeout(timer);
      span?.setAttribute("http.response.status_code", answer.statusCode);
      return answerOf(answer, {
        maxBodyBytes: target.config.maxBodyBytes,
        failure,
        ended: ({ whole, error }) => {
          end(whole);
          done(error);
        },
      });
    } catch (error) {
      clearTimeout(timer);
      const refusal = failure(error);
      done(refusal);
      throw refusal;
    }
  }

  /** Ends the connections that wait for agents who may no longer act. */
  dropDead(): void {
    this.#kept.dropDead();
  }

  /** Ends every connection that waits for another use. */
  async close(): Promise<void> {
    this.#kept.close();
    for (const { egress } of this.#targets.values()) await egress.close();
  }

  async #exchange(operation: Operation, way: Way, request: Dispatcher.DispatchOptions, signal: AbortSignal, holder: Holder | undefined) {
    const key = holder && keyOf(holder, operation.target);
    const kept = key !== undefined && isSafe(operation) ? this.#kept.take(key) : undefined;
    const connection = kept ?? this.#open(way, holder !== undefined);
    try {
      return {
        answer: await dispatched(connection.client, request, signal),
        end: this.#ending(connection, operation, request, key, holder),
      };
    } catch (error) {
      close(connection.client);
      if (kept === undefined || !isClosed(error)) throw error;
    }
    // The target closed what had waited, before it answered: that says nothing of the request, which is safe to repeat. It begins
    // anew, so whoever may no longer act does not get it.
    holder?.assertLive();
    const fresh = this.#open(way, true);
    try {
      return { answer: await dispatched(fresh.client, request, signal), end: this.#ending(fresh, operation, request, key, holder) };
    } catch (error) {
      close(fresh.client);
      throw error;
    }
  }

  /**
   * What becomes of a connection once its answer has ended. One that carried a body is not used again: a target that answered
   * without reading it would take it for the beginning of the next request, whose credential would then be the body's.
   */
  #ending(
    connection: Connection,
    operation: Operation,
    request: Dispatcher.DispatchOptions,
    key: string | undefined,
    holder: Holder | undefined,
  ): (whole: boolean) => void {
    const bare = isSafe(operation) && request.body === null;
    return (whole) => {
      if (whole && bare && key !== undefined && holder !== undefined) this.#kept.give(key, connection, holder.live);
      else close(connection.client);
    };
  }

  #open({ target: { egress, base }, timeoutMs, identity }: Way, again: boolean): Connection {
    const client = egress.connection(base.origin, {
      pipelining: again ? 1 : 0,
      maxHeaderSize: maxAnswerHeaderBytes,
      headersTimeout: 0,
      bodyTimeout: timeoutMs,
      identity,
    });
    return { client, openedAt: performance.now() };
  }

  #span(operation: Operation, { base }: Target): { span: Span | undefined; active: Context } {
    const attributes = { "http.request.method": operation.method, "server.address": base.hostname, "sallyport.target": operation.target };
    const span = this.#tracer?.startSpan(operation.method, { kind: SpanKind.CLIENT, attributes });
    return { span, active: span === undefined ? context.active() : trace.setSpan(context.active(), span) };
  }
}

const keyOf = ({ sid, secret, secretVersion, policyVersion }: Holder, target: string) =>
  JSON.stringify([sid, secret, secretVersion, policyVersion, target]);

/** RFC 9110 §9.2.1, and a body that can be sent a second time. */
const isSafe = ({ method, upload }: Operation) => upload === undefined && ["GET", "HEAD", "OPTIONS"].includes(method);

/** The connection was closed by the other side. */
const isClosed = (error: unknown) =>
  error instanceof errors.SocketError || ["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException)?.code ?? "");

function close(client: Client): void {
  void client.destroy().catch(() => undefined);
}

/** @param moved called with each piece of an upload: a target has its time from the last one */
function requestOf(
  operation: Operation,
  { base }: Target,
  { sent, headers: filled, body }: Injected,
  active: Context,
  moved: () => void,
): Dispatcher.DispatchOptions {
  const { upload } = operation;
  const headers: [string, string][] = [
    // What comes back must be read to be masked.
    ["accept-encoding", "identity"],
    ...Object.entries(tracedBy(active)),
    ...(upload?.size === undefined ? [] : [["content-length", String(upload.size)] as [string, string]]),
    // Last: the secret is among them, and nothing that the agent sends takes its place.
    ...filled.map(([name, value]): [string, string] => [name, value]),
  ];
  return {
    origin: base.origin,
    path: `${base.pathname.replace(/\/$/, "")}${sent}`,
    method: operation.method as Dispatcher.HttpMethod,
    headers: headers.flat(),
    body:
      upload !== undefined
        ? Readable.from(watched(upload.pieces, moved), { objectMode: false })
        : body.length > 0
          ? Buffer.from(body.buffer, body.byteOffset, body.byteLength)
          : null,
  };
}

function tracedBy(active: Context): Record<string, string> {
  const traced: Record<string, string> = {};
  propagation.inject(active, traced);
  return traced;
}

async function* watched(pieces: AsyncIterable<Uint8Array>, moved: () => void): AsyncIterable<Uint8Array> {
  for await (const piece of pieces) {
    moved();
    yield piece;
  }
}
