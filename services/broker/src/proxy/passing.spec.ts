import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import { Refusal } from "@sallyport/contracts";
import { Passing, type PassingParts } from "./passing.ts";
import { callOf } from "./proven-connection.ts";

const call = (signal: AbortSignal) =>
  callOf(
    { peer: { kind: "certificate", der: new Uint8Array(), thumbprint: "", address: "127.0.0.1:1" }, authorization: "" },
    signal,
    ROOT_CONTEXT,
  );

describe("a tunnel that is passed", () => {
  const revoked = new Refusal("CREDENTIAL_REVOKED", "It was revoked.");
  const origin = { scheme: "https", host: "away.test", port: 443 } as const;
  let server: Server;
  const far: Socket[] = [];
  const open: Socket[] = [];
  const dial = async () => {
    const socket = connect((server.address() as { port: number }).port, "127.0.0.1");
    open.push(socket.on("error", () => undefined));
    await once(socket, "connect");
    return socket;
  };
  before(async () => {
    server = createServer((socket) => void far.push(socket.on("error", () => undefined))).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(() => {
    for (const socket of [...far.splice(0), ...open.splice(0)]) socket.destroy();
  });
  after(() => void server.close());

  /** @param dialled called once the destination is reached, before the tunnel knows */
  async function tunnel(dialled: (abort: AbortController) => void, opened: (abort: AbortController, tool: Socket) => void) {
    const abort = new AbortController();
    const outcomes: unknown[] = [];
    const [tool, reached] = [await dial(), await dial()];
    const passing = new Passing({
      gate: { watch: () => Object.assign(abort.signal, { [Symbol.dispose]: () => undefined }), assertLive: () => undefined },
      egress: {
        connect: async () => {
          dialled(abort);
          return reached;
        },
      },
      evidence: { intent: async () => ({ outcome: async (record: unknown) => outcomes.push(record) }) },
      via: "here",
    } as unknown as PassingParts);
    let begun = false;
    const caller = { chain: { links: [], groups: [] }, thumbprint: "" } as never;
    const error = await passing
      .tunnel(origin, caller, call(abort.signal), tool, () => {
        begun = true;
        opened(abort, tool);
      })
      .catch((error) => error);
    return { error, begun, tool, reached, outcomes };
  }

  it("whose agent is revoked while the destination is dialled is not opened, and the destination is let go", async function () {
    this.timeout(5_000);
    const { error, begun, reached, tool, outcomes } = await tunnel(
      (abort) => abort.abort(revoked),
      () => undefined,
    );
    assert.equal(error, revoked);
    assert.deepEqual([begun, reached.destroyed, tool.destroyed], [false, true, false]);
    assert.equal(outcomes.length, 1);
  });

  it("whose agent is revoked as it stands ends on both sides", async () => {
    const { error, begun, reached, tool } = await tunnel(
      () => undefined,
      (abort) => setImmediate(() => abort.abort(revoked)),
    );
    assert.equal(error, revoked);
    assert.deepEqual([begun, reached.destroyed, tool.destroyed], [true, true, true]);
  });

  it("that nobody revokes ends when the tool ends it", async () => {
    const { error, begun } = await tunnel(
      () => undefined,
      (_abort, tool) => setImmediate(() => tool.destroy()),
    );
    assert.deepEqual([error, begun], [undefined, true]);
  });
});
