import { endToEnd, linesOf } from "./header-lines.ts";
import { type AnswerBounds, answerOf } from "./http-answer.ts";
import type { HttpAnswer } from "./operation.ts";
import type { Opened } from "./web-socket.ts";

/** What a target answered to an upgrade, as any other answer: a WebSocket's has no body, and status 101. */
export function webSocketAnswer(opened: Opened, bounds: AnswerBounds): HttpAnswer {
  if (opened.kind === "answer") {
    const { answer } = opened;
    const { statusCode = 0, headers } = answer;
    // What was not read of it is nobody's.
    return answerOf({ statusCode, headers, body: answer, discard: () => answer.on("error", () => undefined).destroy() }, bounds);
  }
  const { socket } = opened;
  let over = false;
  const end = (how: Parameters<AnswerBounds["ended"]>[0]) => {
    if (over) return;
    over = true;
    bounds.ended(how);
  };
  socket.once("close", () => end({ whole: true }));
  return {
    status: 101,
    headers: endToEnd(linesOf(opened.headers)).filter(([name]) => !name.startsWith("sec-websocket-")),
    body: nothing(),
    trailers: () => [],
    discard: () => {
      end({ whole: false });
      // One that is closing is given its time by whoever closed it.
      if (socket.readyState === socket.OPEN) socket.terminate();
    },
    webSocket: socket,
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
