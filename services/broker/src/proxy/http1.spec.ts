import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { endingOnError } from "./http1.ts";

describe("a handler of a tool's connection", () => {
  it("that throws, at once or later, ends that connection, says so in the log, and nothing else", async () => {
    const logged: unknown[] = [];
    const log = { error: (...said: unknown[]) => logged.push(said) } as never;
    const server = createServer(
      endingOnError(log, (request, response: ServerResponse) => {
        if (request.url === "/at-once") throw new Error("at once");
        if (request.url === "/later") return Promise.reject(new Error("later"));
        response.end("fine");
      }),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      const asked = (path: string) => once(get({ port, host: "127.0.0.1", path, agent: false }), "response").then(([one]) => one.resume());
      for (const path of ["/at-once", "/later"]) await assert.rejects(asked(path), /hang up|ECONNRESET/);
      assert.equal((await asked("/")).statusCode, 200);
      assert.equal(logged.length, 2);
    } finally {
      server.close();
    }
  });
});
