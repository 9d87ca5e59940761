import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { Refusal } from "@sallyport/contracts";
import { certificateFor } from "../../../../../packages/egress/src/certificates.fixture.ts";
import { send, targetConfig } from "./targets.fixture.ts";

describe("a client certificate", () => {
  let dir: string;
  let server: Server;
  let mine: Awaited<ReturnType<typeof certificateFor>>;
  const config = (inject = "{ clientCertificate: { certificate: cert, key: key } }", scheme = "https") => {
    const { port } = server.address() as AddressInfo;
    return targetConfig(port, `    inject: ${inject}\n    ca: ${join(dir, "ca.pem")}`, ["cert", "key"], `${scheme}://127.0.0.1:${port}`);
  };

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "sallyport-mtls-"));
    const own = await certificateFor("127.0.0.1", "ip");
    mine = await certificateFor("orders-agent", "dns");
    writeFileSync(join(dir, "ca.pem"), own.cert);
    server = createServer({ ...own, ca: mine.cert, requestCert: true, rejectUnauthorized: true }, (request, response) => {
      const peer = (request.socket as TLSSocket).getPeerX509Certificate();
      response.end(JSON.stringify({ method: request.method, url: request.url, headers: [], body: peer?.fingerprint256 ?? "" }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  after(() => {
    server.close();
    rmSync(dir, { recursive: true });
  });

  it("is shown to a target that asks for it, and to that target only with its key", async () => {
    const { echo } = await send(config(), {}, { cert: mine.cert, key: mine.key });
    assert.match(echo.body, /^[0-9A-F:]{95}$/);
    const other = await certificateFor("another", "dns");
    await assert.rejects(send(config(), {}, { cert: other.cert, key: other.key }), /TARGET_UNAVAILABLE|broke|not/);
  });

  it("is not used where it is none, or the key is another's: nothing is sent", async () => {
    const other = await certificateFor("another", "dns");
    for (const values of [
      { cert: mine.cert, key: other.key },
      { cert: "no certificate", key: mine.key },
      { cert: mine.cert, key: "no key" },
    ])
      await assert.rejects(
        send(config(), {}, values),
        (error: unknown) => error instanceof Refusal && error.reason === "STORE_UNAVAILABLE" && !error.message.includes("BEGIN"),
      );
  });

  it("is refused at load for a target without TLS", () => {
    assert.throws(() => config(undefined, "http"), /targets\.api\.baseUrl: must be https/);
  });
});
