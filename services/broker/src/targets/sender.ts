import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { Refusal } from "@sallyport/contracts";
import { type Door, Egress } from "@sallyport/egress";
import type { Config } from "@sallyport/service";
import { type Dispatcher, errors } from "undici";
import type { TargetConfig } from "../catalogue/catalogue.ts";
import type { HttpAnswer, Operation } from "./operation.ts";

const maxResponseHeaderBytes = 64 * 1024;

/**
 * Sends an operation with the secret in it. Scheme, host, port and the credential's header are the configuration's; redirects
 * are answers, never followed. Each use has a connection of its own, so that nothing is shared between agents.
 */
export class Sender {
  readonly #egress = new Map<string, Egress>();

  constructor(config: Pick<Config, "targets">, own: () => readonly Door[] = () => []) {
    for (const [name, target] of Object.entries(config.targets)) {
      this.#egress.set(
        name,
        new Egress({
          allow: target.network,
          setting: `targets.${name}.network`,
          own,
          ...(target.ca === undefined ? {} : { ca: readFileSync(target.ca, "utf8") }),
        }),
      );
    }
  }

  /**
   * @param fields the secret's fields; the one that is injected is read here and nowhere kept
   * @throws Refusal DESTINATION_NOT_ALLOWED, TARGET_UNAVAILABLE (nothing was sent), OUTCOME_UNKNOWN (something may have been)
   */
  async send(
    operation: Operation,
    fields: ReadonlyMap<string, Uint8Array>,
    signal: AbortSignal,
    traceHeaders: Record<string, string> = {},
  ): Promise<HttpAnswer> {
    const { config } = operation;
    const egress = this.#egress.get(operation.target);
    if (config === undefined || egress === undefined) throw new Refusal("DENIED_BY_POLICY", "There is no such target.");
    const url = new URL(config.baseUrl);
    const dispatcher = egress.dispatcher({
      pipelining: 0,
      keepAliveTimeout: 1,
      maxHeaderSize: maxResponseHeaderBytes,
      headersTimeout: config.timeoutSeconds * 1000,
      bodyTimeout: config.timeoutSeconds * 1000,
    });
    let sending = false;
    try {
      const answer = await dispatcher.request({
        origin: url.origin,
        path: `${url.pathname.replace(/\/$/, "")}${operation.path}${operation.query}`,
        method: operation.method as Dispatcher.HttpMethod,
        headers: Object.fromEntries([
          ...operation.headers,
          ["accept-encoding", "identity"],
          ...Object.entries(traceHeaders),
          ...lengthOf(operation),
          injected(config, fields),
        ]),
        ...bodyOf(operation, () => (sending = true)),
        signal,
      });
      return answerOf(answer, dispatcher);
    } catch (error) {
      void dispatcher.destroy();
      throw refusalOf(error, signal, operation, sending);
    }
  }

  async close(): Promise<void> {}
}

function injected(config: TargetConfig, fields: ReadonlyMap<string, Uint8Array>): [string, string] {
  const [name, field, prefix] =
    config.inject.bearer !== undefined
      ? ["authorization", config.inject.bearer, "Bearer "]
      : [config.inject.header.name, config.inject.header.field, ""];
  const value = fields.get(field);
  if (value === undefined)
    throw new Refusal("STORE_UNAVAILABLE", `The secret has no field "${field}", which this target needs; tell the operator.`);
  const text = Buffer.from(value).toString("latin1");
  if (!/^[\t\x20-\x7e\x80-\xff]+$/.test(text))
    throw new Refusal(
      "STORE_UNAVAILABLE",
      `The secret's field "${field}" cannot stand in a header: it is empty or holds a line break; tell the operator.`,
    );
  return [name, `${prefix}${text}`];
}

const lengthOf = (operation: Operation): [string, string][] =>
  operation.upload === undefined ? [] : [["content-length", String(operation.upload.size)]];

function bodyOf(operation: Operation, began: () => void): { body?: Uint8Array | Readable } {
  if (operation.upload !== undefined) {
    const pieces = operation.upload.pieces;
    const noted = async function* () {
      for await (const piece of pieces) {
        began();
        yield piece;
      }
    };
    return { body: Readable.from(noted(), { objectMode: false }) };
  }
  return operation.body.length === 0 ? {} : { body: operation.body };
}

function answerOf(answer: Dispatcher.ResponseData<unknown>, dispatcher: Dispatcher): HttpAnswer {
  const headers = Object.entries(answer.headers).flatMap(([name, value]): [string, string][] =>
    hopByHop.has(name) || value === undefined ? [] : (Array.isArray(value) ? value : [value]).map((one) => [name, one]),
  );
  const discard = () => {
    answer.body.on("error", () => {});
    answer.body.destroy();
    void dispatcher.destroy();
  };
  return {
    status: answer.statusCode,
    headers,
    body: answer.body as AsyncIterable<Uint8Array>,
    trailers: () => Object.entries(answer.trailers ?? {}) as [string, string][],
    discard,
  };
}

/** RFC 9110 §7.6.1: for this connection only. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** undici says by its error's kind whether the request can have left. Where it is not sure, neither are we. */
function refusalOf(error: unknown, signal: AbortSignal, operation: Operation, sending: boolean): Refusal {
  if (error instanceof Refusal) return error;
  if (signal.reason instanceof Refusal) return signal.reason;
  if (signal.aborted)
    return new Refusal("CANCELLED", "The call was given up; what had been sent to the target may have taken effect.", { cause: error });
  if (error instanceof errors.ConnectTimeoutError && !sending)
    return new Refusal("TARGET_UNAVAILABLE", `Target ${operation.target} took no connection in time; nothing was sent.`, { cause: error });
  return new Refusal(
    "OUTCOME_UNKNOWN",
    `Target ${operation.target} gave no whole answer in time; the effect may have happened. Look before you try again.`,
    {
      cause: error,
      metadata: { effect: "unknown" },
    },
  );
}
