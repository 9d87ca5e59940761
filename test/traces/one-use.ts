import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Action, Person } from "@sallyport/sdk";
import type { World } from "../demo/configuration.ts";
import { startHostileApi } from "../demo/hostile-api.ts";
import type { Installation } from "../demo/installation.ts";
import { startIssuer } from "../demo/issuer.ts";
import { type OtlpReceiver, otlpReceiver, type ReceivedSpan } from "../support/otlp-receiver.ts";
import { until } from "../support/process/port.ts";
import { removeScratch } from "../support/process/scratch.ts";

/** One use of a secret by an agent that traces, with all that was heard of it. */
export interface TracedUse {
  readonly traceId: string;
  readonly eventUid: string;
  /** The spans of that trace. */
  readonly spans: readonly ReceivedSpan[];
  readonly otlp: OtlpReceiver;
  /** `traceparent` as the target got it. */
  readonly atTarget: string | undefined;
  /** The evidence log's records of this trace. */
  readonly records: readonly EvidenceRecord[];
  /** The agent's credential and the secret's value: what must not be in a trace. */
  readonly secrets: readonly string[];
  readonly installation: Installation;
  stop(): Promise<void>;
}

export interface EvidenceRecord {
  readonly metadata: { readonly uid: string; readonly correlation_uid?: string };
  readonly unmapped: { readonly sallyport: { readonly traceparent?: string; readonly phase?: string; readonly intent_uid?: string } };
}

/** Starts an installation that exports its spans, and has an agent use `prod/orders/read` once. */
export async function oneUse(start: (world: World, more: Record<string, unknown>) => Promise<Installation>): Promise<TracedUse> {
  const state = mkdtempSync(join(tmpdir(), "sallyport-trace-"));
  const canary = randomBytes(24).toString("base64url");
  const otlp = await otlpReceiver();
  const [people, workloads, api] = [await startIssuer(), await startIssuer(), await startHostileApi(canary)];
  const world = { state, peopleIssuer: people.url, workloadIssuer: workloads.url, apiUrl: api.url };
  const installation = await start(world, { telemetry: { otlp: otlp.url } });
  const idToken = await people.idToken({ subject: "kim", groups: ["secret-keepers"] }, "sallyport");
  const keeper = await Person.signIn({ endpoints: installation.endpoints, idToken });
  await keeper.session.broker.write({ secret: "prod/orders/read", fields: { token: Buffer.from(canary) } });
  keeper.session.close();

  const ceiling = { entries: [{ actions: [Action.LIST, Action.USE], secrets: ["prod/orders/*"], targets: ["orders-read"] }] };
  const said = await agentSays(
    {
      otlp: otlp.url,
      signIn: { endpoints: installation.endpoints, name: "release", ceiling },
      use: { target: "orders-read", path: "/v1/orders/42" },
    },
    await workloads.idToken({ subject: "release-bot", groups: ["release-pipelines"], owner: "alice" }, "sallyport"),
  );
  const { traceId, eventUid, token } = said;
  const ofTrace = () => otlp.spans.filter((span) => span.traceId === traceId);
  const appended = () => ofTrace().filter(({ name }) => name === "evidence append").length;
  await until("the spans of the intent's and the outcome's record", () => appended() >= 2, 15_000);
  // The services' own spans are sent half a second at most after they end.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  return {
    traceId,
    eventUid,
    spans: ofTrace(),
    otlp,
    atTarget: api.served[0]?.traceparent,
    records: evidenceOf(installation).filter(({ unmapped }) => unmapped.sallyport.traceparent?.includes(traceId)),
    secrets: [canary, token],
    installation,
    stop: async () => {
      await installation.stop();
      await Promise.all([otlp.stop(), people.stop(), workloads.stop(), api.stop()]);
      removeScratch(state);
    },
  };
}

function agentSays(order: object, subjectToken: string): Promise<{ status: number; eventUid: string; traceId: string; token: string }> {
  const child = spawn(process.execPath, [new URL("traced-agent.ts", import.meta.url).pathname, JSON.stringify(order)]);
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
  child.stdin.end(subjectToken);
  return new Promise((resolve, reject) =>
    child.on("close", (code) => (code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`the agent ended with ${code}: ${err}`)))),
  );
}

function evidenceOf({ auditDataDir }: Installation): EvidenceRecord[] {
  const folder = join(auditDataDir, "audit", "log");
  return readdirSync(folder)
    .filter((name) => /^\d+\.jsonl$/.test(name))
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").filter(Boolean))
    .map((line) => JSON.parse(line));
}
