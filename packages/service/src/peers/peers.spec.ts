import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ChannelCredentials } from "@grpc/grpc-js";
import { trace } from "@opentelemetry/api";
import { DecisionService, FeedService, Refusal, TokenService } from "@sallyport/contracts";
import type { Client } from "../client.ts";
import { formatAddress } from "../config/index.ts";
import type { Call } from "../handler.ts";
import type { Host } from "../host.ts";
import { collect, refused, TestInstallation, type Wire } from "../process/process.fixture.ts";

/** A pdp whose answer shows who asked. */
const pdp =
  (calls: Call[] = []): Wire =>
  ({ listeners }) =>
    void listeners.peers.serve(
      DecisionService,
      {
        check: async ({ secret }, call) => {
          calls.push(call);
          if (secret === "hang") await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
          if (secret === "deny") throw new Refusal("POLICY_ERROR", "It failed.", { metadata: { policy: "p1" } });
          return {
            sentence: call.peer.kind === "service" ? call.peer.role : "nobody",
            reason: trace.getActiveSpan()?.spanContext().traceId ?? "",
          };
        },
      },
      { roles: ["broker"] },
    );

const echo: Wire = ({ listeners }) =>
  void listeners.peers.serve(
    FeedService,
    {
      async *follow(requests) {
        for await (const { question } of requests) yield { question };
      },
    },
    { roles: ["broker"] },
  );

async function* questions() {
  for (const question of [1n, 2n, 3n]) yield { question };
}

for (const form of ["in one process", "over mTLS"] as const) {
  describe(`services that call each other ${form}`, () => {
    let installation: TestInstallation;
    let host: Host;
    let other: Host;
    const calls: Call[] = [];

    before(async () => {
      installation = await TestInstallation.create();
      const keep = {
        broker: (given: Host) => {
          host = given;
        },
        audit: (given: Host) => {
          other = given;
        },
      };
      if (form === "in one process") {
        await installation.run({ pdp: pdp(calls), authn: echo, ...keep });
        return;
      }
      const servers = [
        await installation.run({ pdp: pdp(calls) }, undefined, ["pdp"]),
        await installation.run({ authn: echo }, undefined, ["authn"]),
      ];
      const [pdpAt, authnAt] = servers.map(({ addresses }) => formatAddress(addresses.peers ?? { host: "", port: 0 }));
      const alone = "{ agents: 127.0.0.1:0, agentsMtls: 127.0.0.1:0, peers: 127.0.0.1:0, edge: 127.0.0.1:0, ops: 127.0.0.1:0 }";
      const peers = `listen: ${alone}, peers: { pdp: "${pdpAt}", authn: "${authnAt}", audit: "${pdpAt}" }`;
      const config = installation.config(`services:\n  broker: { ${peers} }\n  audit: { ${peers} }\n`);
      await installation.run(keep, config, ["broker"]);
      await installation.run(keep, config, ["audit"]);
    });
    after(() => installation.end());

    it("are known by their role, and only the roles named may call", async () => {
      assert.equal((await host.peers.client("pdp", DecisionService).check({})).sentence, "broker");
      assert.equal((await refused(other.peers.client("pdp", DecisionService).check({}))).reason, "DENIED_BY_POLICY");
      assert.equal(calls.length, 1);
    });

    it("get refusals with their facts, streams both ways, and one trace", async () => {
      const refusal = await refused(host.peers.client("pdp", DecisionService).check({ secret: "deny" }));
      assert.deepEqual([refusal.reason, refusal.metadata.policy], ["POLICY_ERROR", "p1"]);
      assert.deepEqual(
        (await collect(host.peers.client("authn", FeedService).follow(questions()))).map(({ question }) => question),
        [1n, 2n, 3n],
      );
      const traceId = await host.telemetry.tracer.startActiveSpan("test", async (span) => {
        const { reason } = await host.peers.client("pdp", DecisionService).check({});
        return [span.spanContext().traceId, reason];
      });
      assert.equal(traceId[0], traceId[1]);
    });

    it("do not wait for ever: a peer that hangs is unavailable, one that is asked no more is told", async () => {
      const client = host.peers.client("pdp", DecisionService);
      assert.ok(["POLICY_UNAVAILABLE", "CANCELLED"].includes((await refused(client.check({ secret: "hang" }, { timeoutMs: 100 }))).reason));
      const stop = new AbortController();
      setTimeout(() => stop.abort(new Refusal("CREDENTIAL_REVOKED", "Revoked.")), 50);
      assert.equal((await refused(client.check({ secret: "hang" }, { signal: stop.signal }))).reason, "CREDENTIAL_REVOKED");
      await sleep(50);
      assert.ok(calls.filter(({ signal }) => !signal.aborted).length === 0);
    });

    it("say which peer is missing, and find it when it has come", async () => {
      const client: Client<typeof TokenService> = host.peers.client("authn", TokenService);
      assert.notEqual((await refused(client.whoAmI({}, { timeoutMs: 500 }))).reason, "INTERNAL");
    });
  });
}

describe("a pdp beside another service", () => {
  let installation: TestInstallation;
  before(async () => {
    installation = await TestInstallation.create();
  });
  after(() => installation.end());

  it("decides for it without a socket, and is behind no door: nobody else asks it", async () => {
    let host: Host | undefined;
    const broker = (given: Host) => {
      host = given;
    };
    const running = await installation.run({ pdp: pdp(), broker }, undefined, ["pdp", "broker"]);
    assert.equal((await host?.peers.client("pdp", DecisionService).check({}))?.sentence, "broker");
    assert.deepEqual(Object.keys(running.addresses), ["ops"]);
    assert.deepEqual(Object.keys(running.health()).sort(), ["broker", "pdp"]);
  });

  it("is the only pair there is", async () => {
    for (const roles of [["authn", "broker"], ["pdp", "broker", "audit"], []] as const)
      await assert.rejects(installation.run({}, undefined, roles), /one with pdp beside it/, roles.join(" "));
  });
});

describe("the door between services", () => {
  let installation: TestInstallation;
  before(async () => {
    installation = await TestInstallation.create();
  });
  after(() => installation.end());

  it("turns away whoever has no certificate of the services' authority, or one that names no role", async () => {
    const running = await installation.run({ pdp: pdp() });
    const ca = installation.file("services-ca.crt");
    const anonymous = installation.channel(running, "peers", ChannelCredentials.createSsl(ca)).client(DecisionService);
    assert.equal((await refused(anonymous.check({}, { timeoutMs: 2000 }))).reason, "TARGET_UNAVAILABLE");
    const listener = ChannelCredentials.createSsl(ca, installation.file("listener.key"), installation.file("listener.crt"));
    assert.notEqual(
      (await refused(installation.channel(running, "peers", listener).client(DecisionService).check({}, { timeoutMs: 2000 }))).reason,
      "INTERNAL",
    );
  });

  it("is not believed when it shows another role's certificate", async () => {
    const running = await installation.run({ pdp: pdp() }, undefined, ["pdp"]);
    const at = formatAddress(running.addresses.peers ?? { host: "", port: 0 });
    let host: Host | undefined;
    const config = installation.config(`services:\n  broker: { listen: { ops: 127.0.0.1:0 }, peers: { authn: "${at}" } }\n`);
    await installation.run(
      {
        broker: (given) => {
          host = given;
        },
      },
      config,
      ["broker"],
    );
    const client = (host as Host).peers.client("authn", TokenService);
    assert.equal((await refused(client.whoAmI({}, { timeoutMs: 1000 }))).reason, "STATE_UNAVAILABLE");
    assert.throws(() => (host as Host).peers.client("audit", TokenService), /services\.broker\.peers\.audit/);
  });
});
