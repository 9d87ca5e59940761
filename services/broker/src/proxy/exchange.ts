import { create } from "@bufbuild/protobuf";
import { context, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { Refusal, UseRequestSchema } from "@sallyport/contracts";
import type { Call, Caller, Host } from "@sallyport/service";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { parseUse } from "../rpc/parse-use.ts";
import type { CallerGate } from "../rpc/recording-gate.ts";
import { webSocketMethod, withUpload, withWebSocket } from "../targets/operation.ts";
import type { UseParts } from "../use/parts.ts";
import { type UseCommand, use } from "../use/use.ts";
import type { Destinations, Found } from "./destinations.ts";
import type { Place, Places } from "./places.ts";
import { callOf, type ProvenConnection, traceOf } from "./proven-connection.ts";
import { recordRefused } from "./records.ts";
import { refusalOf } from "./refusal-answer.ts";
import { Retries } from "./retries.ts";
import { toldToWhom } from "./told-to-whom.ts";
import { bodyOf } from "./tool-body.ts";
import { type ToolHeaders, toolHeaders, withoutInjected } from "./tool-headers.ts";
import type { ToolAnswer, ToolRequest, ToolUpgrade } from "./tool-request.ts";

export interface ExchangeParts {
  readonly gate: CallerGate;
  readonly catalogue: Catalogue;
  readonly destinations: Destinations;
  readonly places: Places;
  readonly use: UseParts;
  readonly tracer: Tracer;
  readonly log: Host["log"];
}

/** For a target that there is none of; the refusal comes once it was judged like any other. */
const maxBytesToNowhere = 64 * 1024 * 1024;

/**
 * Serves tools' requests to targets: each becomes the very operation that `Use` would get, and goes the same way, through the same
 * parsing, decision, approval, record, effect and masking. Nothing is decided here.
 */
export class Exchanges {
  readonly #parts: ExchangeParts;
  readonly #retries = new Retries();

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /** Never throws: what goes wrong is the answer. */
  async serve(request: ToolRequest, connection: ProvenConnection, answer: ToolAnswer): Promise<void> {
    const span = this.#parts.tracer.startSpan(`proxy ${request.method}`, { kind: SpanKind.SERVER }, traceOf(request));
    const active = trace.setSpan(context.active(), span);
    try {
      await context.with(active, () => this.#serve(request, callOf(connection, request.signal, active), answer));
    } catch (error) {
      const refusal = this.#refusalOf(error, request.signal);
      span.setStatus({ code: SpanStatusCode.ERROR, message: refusal.reason });
      this.#tell(answer, refusal);
    } finally {
      span.end();
    }
  }

  #tell(answer: ToolAnswer, refusal: Refusal): void {
    try {
      answer.refuse(refusal);
    } catch (error) {
      this.#parts.log.debug({ err: error }, "nobody is there to be refused");
    }
  }

  async #serve(request: ToolRequest, call: Call, answer: ToolAnswer): Promise<void> {
    const caller = await this.#parts.gate.authenticate(call);
    using place = this.#parts.places.take(caller);
    const command = await this.#commandOf(request, caller, call, place).catch(async (error) => {
      await recordRefused(this.#parts.use.evidence, caller, call, this.#refusalOf(error, request.signal));
      throw error;
    });
    try {
      for await (const part of use(command, this.#parts.use, request.signal)) {
        if (part.kind === "head") answer.head(part.status, [...part.headers.filter(isForTools), ["sallyport-event", part.eventUid]]);
        else if (part.kind === "data") await answer.data(part.bytes);
        else answer.end(part.trailers);
      }
      this.#retries.forget(caller.sid, command.operation);
    } catch (error) {
      this.#learn(error, caller, command);
      throw error;
    }
  }

  /** The tool's request as a use, by the one parser of uses. @throws Refusal */
  async #commandOf(request: ToolRequest, caller: Caller, call: Call, place: Place): Promise<UseCommand> {
    const { catalogue } = this.#parts;
    const headers = toolHeaders(request.headers, request.upgrade !== undefined);
    if (request.hasBody && (request.method === "GET" || request.method === "HEAD")) throw bodyOfGet(request.method);
    const found = this.#find(request, caller, headers.target);
    const { method } = request;
    const judgedBy = { caller, catalogue, decisions: this.#parts.use.decisions, signal: request.signal };
    return this.#toFound(found, headers, request, caller, call, place).catch(async (error) => {
      throw await toldToWhom(error, found, request.upgrade === undefined ? method : webSocketMethod, judgedBy);
    });
  }

  async #toFound(found: Found, headers: ToolHeaders, request: ToolRequest, caller: Caller, call: Call, place: Place): Promise<UseCommand> {
    const { catalogue } = this.#parts;
    const { config } = catalogue.target(found.target);
    const body = await bodyOf(request, headers.contentEncoding, config?.maxBodyBytes ?? maxBytesToNowhere, place);
    const message = create(UseRequestSchema, {
      target: found.target,
      accessRequestId: headers.accessRequest,
      operation: {
        case: "http",
        value: {
          method: request.method,
          path: found.path,
          headers: withoutInjected(headers.sent, config),
          body: "inline" in body ? body.inline : new Uint8Array(),
        },
      },
    });
    const parsed = parseUse(message, caller, call, catalogue);
    const command = request.upgrade === undefined ? parsed : opening(parsed, request.upgrade);
    if ("upload" in body) return { ...command, operation: withUpload(command.operation, body.upload) };
    return command.accessRequestId === "" ? { ...command, accessRequestId: this.#retries.find(caller.sid, command.operation) } : command;
  }

  #find(request: ToolRequest, caller: Caller, named: string | undefined): Found {
    const { destination, sent } = request;
    const method = request.upgrade === undefined ? request.method : webSocketMethod;
    if (destination.kind === "origin") return this.#parts.destinations.find(destination.origin, method, sent, caller.ceiling, named);
    const found = this.#parts.destinations.reverse(sent);
    if (found === undefined) throw new Refusal("INVALID_REQUEST", "There is nothing at this address; targets are at /t/<target>/….");
    return found;
  }

  #learn(error: unknown, caller: Caller, { operation }: UseCommand): void {
    if (!(error instanceof Refusal) || operation.upload !== undefined) return;
    const id = error.metadata.access_request_id;
    if (error.reason === "APPROVAL_REQUIRED" && id !== undefined) this.#retries.remember(caller.sid, operation, id);
    else this.#retries.forget(caller.sid, operation);
  }

  #refusalOf(error: unknown, signal: AbortSignal): Refusal {
    if (signal.aborted && !(error instanceof Refusal)) return new Refusal("CANCELLED", "The tool gave its request up.", { cause: error });
    return refusalOf(error, this.#parts.log);
  }
}

/** The use as one that opens a WebSocket, which is what is judged. */
const opening = ({ ask, operation, ...rest }: UseCommand, upgrade: ToolUpgrade): UseCommand => ({
  ...rest,
  ask: { ...ask, context: { ...ask.context, method: webSocketMethod } },
  operation: withWebSocket(operation, upgrade),
});

/** A session that a target opens for the secret's holder is the broker's, and a tool's jar would send it back by itself. */
const isForTools = ([name]: readonly [string, string]) => name !== "set-cookie" && name !== "set-cookie2";

const bodyOfGet = (method: string) => new Refusal("INVALID_REQUEST", `A ${method} has no body; its end could be read as another request.`);
