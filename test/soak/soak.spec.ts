import assert from "node:assert/strict";
import { describeWith, kafka, openbao, redis, withOptions } from "../support/servers.ts";
import { textPlot } from "./plot.ts";
import { summary } from "./report.ts";
import { parseSoakSettings, type SoakSettings } from "./settings.ts";
import { soak } from "./soak.ts";

const servers = {
  redis: withOptions(redis, { own: true }),
  kafka: withOptions(kafka, { own: true }),
  openbao: withOptions(openbao, { durable: true }),
};
const seconds = process.env.SALLYPORT_SOAK_SECONDS ?? "30";
const agents = process.env.SALLYPORT_SOAK_AGENTS ?? "200";

describeWith("many agents over two brokers, whose parts are killed one after the other", servers, (started) => {
  it(`${agents} agents, ${seconds} s: no leak, no effect without its record, and all goes on`, async function () {
    this.timeout(Number(seconds) * 1000 + 400_000);
    const settings = parseSoakSettings([
      "--seconds",
      seconds,
      "--agents",
      agents,
      "--trees",
      "20",
      "--fault-every",
      "5",
      "--rate",
      "20",
    ]) as SoakSettings;
    const report = await soak(settings, { redis: started.redis(), kafka: started.kafka(), openbao: started.openbao() }, () => undefined);
    console.log(`${textPlot(report)}\n\n${summary(report)}`.replace(/^/gm, "      "));
    assert.deepEqual(report.leaks, []);
    assert.deepEqual(report.problems, []);
    // A machine with more to do takes longer for each fault.
    assert.ok(report.faults.length > 0 && report.served > 0, summary(report));
  });
});
