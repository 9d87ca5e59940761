import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Refusal } from "@sallyport/contracts";
import { MaskSet } from "@sallyport/masking";
import { WebSocket, WebSocketServer } from "ws";
import { converse } from "./conversation.ts";

describe("a WebSocket between tool and target", () => {
  let server: WebSocketServer;
  before(async () => {
    server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
  });
  after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });

  const side = async (): Promise<WebSocket> => {
    const far = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`).on("error", () => undefined);
    const [[near]] = await Promise.all([once(server, "connection"), once(far, "open")]);
    return near;
  };

  it("whose agent was revoked before it began ends with that, and nothing that a side says later is an error of nobody's", async () => {
    const revoked = new Refusal("CREDENTIAL_REVOKED", "It was revoked.");
    const [target, tool] = [await side(), await side()];
    const set = MaskSet.compile([]);
    const signal = AbortSignal.abort(revoked);
    const unheard: unknown[] = [];
    const hear = (error: unknown) => unheard.push(error);
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", hear);
    try {
      const talk = converse({ target, tool, name: "t", masks: set, secrets: set, traffic: {} as never, maxBytes: 10, signal });
      await assert.rejects(talk, revoked);
      const closed = once(target, "close");
      target.terminate();
      await closed;
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(unheard, []);
    } finally {
      process.off("unhandledRejection", hear);
      for (const other of others) process.on("unhandledRejection", other);
    }
  });
});
