import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { TransitKey } from "@sallyport/service";
import { TransitClient } from "./transit-client.ts";

describe("authn's sign-in to OpenBao", () => {
  it("is made anew once for all calls whose token was forgotten, however late each is told", async () => {
    let signIns = 0;
    let refused = 0;
    const server = createServer(async (request, response) => {
      const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
      if (request.url?.endsWith("/login")) return answer(200, { auth: { client_token: `token-${++signIns}` } });
      if (request.headers["x-vault-token"] !== "token-1") return answer(200, { data: {} });
      await sleep(50 * refused++);
      return answer(403, { errors: ["permission denied"] });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    process.env.SALLYPORT_SPEC_TRANSIT_JWT = "a.b.c";
    try {
      const client = new TransitClient({
        address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        auth: { jwt: { role: "authn", token: "env:SALLYPORT_SPEC_TRANSIT_JWT", mount: "jwt" } },
        network: ["127.0.0.0/8"],
      } as unknown as TransitKey);
      await Promise.all(Array.from({ length: 5 }, () => client.call("GET", "transit/keys/credentials")));
      assert.deepEqual([signIns, refused], [2, 5]);
    } finally {
      delete process.env.SALLYPORT_SPEC_TRANSIT_JWT;
      server.close();
      server.closeAllConnections();
    }
  });
});
