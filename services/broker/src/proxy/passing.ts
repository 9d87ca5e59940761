import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { Refusal } from "@sallyport/contracts";
import type { Egress } from "@sallyport/egress";
import type { Call, Caller } from "@sallyport/service";
import type { CallerGate } from "../rpc/recording-gate.ts";
import { endToEnd, linesOf } from "../targets/header-lines.ts";
import type { UseParts } from "../use/parts.ts";
import type { Ending } from "../use/records.ts";
import { type Origin, originText } from "./authority.ts";
import { headersOf } from "./http1.ts";
import { passRecord } from "./records.ts";

/** Milliseconds without a byte either way after which a tunnel is ended. */
const idleMs = 10 * 60_000;

export interface PassingParts {
  readonly gate: CallerGate;
  readonly egress: Egress;
  readonly evidence: UseParts["evidence"];
  /** Names this broker in `Via`, so that a request which comes back is known. */
  readonly via: string;
}

/** Moves what goes to destinations without a secret. Nothing is injected there; that it was done, and how much of it, is on record. */
export class Passing {
  readonly #parts: PassingParts;

  constructor(parts: PassingParts) {
    this.#parts = parts;
  }

  /** Bytes both ways, unread, until one side ends, or the agent is revoked. @param opened called once the destination has answered */
  async tunnel(origin: Origin, caller: Caller, call: Call, tool: Socket, opened: () => void): Promise<void> {
    await this.#recorded(origin, caller, call, async (signal, ending) => {
      const far = await this.#parts.egress.connect({ host: origin.host, port: origin.port, signal });
      const end = () => void [far.destroy(), tool.destroy()];
      signal.addEventListener("abort", end, { once: true });
      // It may have been while the destination was reached, which no listener hears of.
      if (signal.aborted) {
        far.destroy();
        throw signal.reason;
      }
      opened();
      far.setTimeout(idleMs, end);
      await Promise.allSettled([pipeline(tool, far), pipeline(far, tool)]);
      signal.removeEventListener("abort", end);
      end();
      ending.details = { bytes_out: far.bytesWritten, bytes_in: far.bytesRead };
      signal.throwIfAborted();
    });
  }

  /** One plain HTTP request, as it came but for the connection's own headers. @throws Refusal */
  async request(
    origin: Origin,
    sent: string,
    caller: Caller,
    call: Call,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const headers = headersOf(request.rawHeaders);
    if (headers.some(([name, value]) => name === "via" && value.includes(this.#parts.via))) throw loop();
    const kept = endToEnd(headers).filter(([name]) => name !== "expect");
    await this.#recorded(origin, caller, call, async (signal, ending) => {
      const dispatcher = this.#parts.egress.dispatcher({
        pipelining: 0,
        maxHeaderSize: 64 * 1024,
        headersTimeout: 60_000,
        bodyTimeout: idleMs,
      });
      try {
        const answer = await dispatcher.request({
          origin: originText(origin),
          path: sent,
          method: request.method as "GET",
          headers: [...kept, ["via", `1.1 ${this.#parts.via}`]].flat(),
          body: request.headers["content-length"] === undefined && request.headers["transfer-encoding"] === undefined ? null : request,
          signal,
        });
        response.sendDate = false;
        response.writeHead(answer.statusCode, endToEnd(linesOf(answer.headers)).flat());
        ending.details = { status: answer.statusCode };
        await pipeline(answer.body, response);
      } finally {
        void dispatcher.destroy().catch(() => undefined);
      }
    });
  }

  /** Intent durable, lease still held, then the effect, then its outcome. */
  async #recorded(
    origin: Origin,
    caller: Caller,
    call: Call,
    run: (signal: AbortSignal, ending: { details: NonNullable<Ending["details"]> }) => Promise<void>,
  ): Promise<void> {
    const { gate, evidence } = this.#parts;
    const intent = await evidence.intent(passRecord(caller, call, origin));
    const ending: { details: NonNullable<Ending["details"]> } = { details: {} };
    let outcome: Ending = { status: "success" };
    try {
      using watched = gate.watch(caller, call.signal);
      gate.assertLive(caller);
      await run(watched, ending);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : broke(error);
      // A tool that hangs up has ended its tunnel, and that is all.
      outcome = refusal.reason === "CANCELLED" ? outcome : { status: "failure", reason: refusal.reason, sentence: refusal.message };
      throw refusal;
    } finally {
      await intent.outcome(passRecord(caller, call, origin, { ...outcome, details: ending.details }));
    }
  }
}

const loop = () =>
  new Refusal("DESTINATION_NOT_ALLOWED", "This request has come through this proxy before: it goes round in a circle.", {
    metadata: { effect: "none" },
  });

const broke = (cause: unknown) =>
  new Refusal("TARGET_UNAVAILABLE", "The destination broke off, or gave an answer that is not HTTP.", {
    cause,
    metadata: { effect: "unknown" },
  });
