import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Host } from "@sallyport/service";
import { closingOnError, endingOnError, Http1Answer, requestOf, Turns } from "./http1.ts";
import { refusalOf } from "./refusal-answer.ts";
import type { ToolAnswer, ToolRequest } from "./tool-request.ts";
import { type UpgradeAnswer, Upgrades } from "./upgrade.ts";

/** A request of HTTP/1.1 whose turn it is. */
export interface Turn {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly answer: ToolAnswer;
  /** The request without where it goes, which depends on the door. @throws Refusal INVALID_REQUEST */
  parsed(): Omit<ToolRequest, "destination" | "sent">;
}

export interface Http1Parts {
  /** Whether a connection ends with its next answer. */
  closing(socket: object): boolean;
  /** What it throws is the answer, as long as none has begun. */
  serve(turn: Turn): Promise<void>;
  readonly log: Pick<Host["log"], "error">;
}

/** The requests that tools send to one server, those for a WebSocket too: each is served in its turn. */
export class Http1Requests {
  readonly #parts: Http1Parts;
  readonly #turns = new Turns();
  readonly #upgrades = new Upgrades();

  constructor(server: Server, parts: Http1Parts) {
    this.#parts = parts;
    const take = (awaitsContinue: boolean) =>
      endingOnError(parts.log, (request, response: ServerResponse) => this.#take(request, response, awaitsContinue));
    const upgrade = endingOnError(parts.log, (request, socket: Duplex, head: Buffer) => {
      const answer = this.#upgrades.take(request, socket, head);
      return this.#take(request, answer.response, false, answer);
    });
    closingOnError(server).on("request", take(false)).on("checkContinue", take(true)).on("upgrade", upgrade);
  }

  async #take(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean, upgrade?: UpgradeAnswer): Promise<void> {
    const { closing, serve, log } = this.#parts;
    if (!(await this.#turns.wait(request, response)) || upgrade?.begin() === false) return;
    const answer = upgrade ?? new Http1Answer(request, response, closing(request.socket));
    const parsed = () => ({
      ...requestOf(request, response, awaitsContinue),
      ...(upgrade === undefined ? {} : { upgrade: upgrade.asked() }),
    });
    try {
      await serve({ request, response, answer, parsed });
    } catch (error) {
      const refusal = refusalOf(error, log);
      if (response.headersSent || response.destroyed) response.destroy();
      else answer.refuse(refusal);
    }
  }

  drain(): void {
    this.#upgrades.drain();
  }

  close(): void {
    this.#upgrades.close();
  }
}
