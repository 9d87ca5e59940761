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

describeWith("many agents over two brokers, whose parts are killed one after the other", servers, (started) => {
  it(`${seconds} s: no leak, no effect without its record, and all goes on`, async function () {
    this.timeout(Number(seconds) * 1000 + 400_000);
    const settings = parseSoakSettings(["--seconds", seconds, "--fault-every", "5", "--rate", "20"]) as SoakSettings;
    const report = await soak(settings, { redis: started.redis(), kafka: started.kafka(), openbao: started.openbao() }, () => undefined);
    console.log(`${textPlot(report)}\n\n${summary(report)}`.replace(/^/gm, "      "));
    assert.deepEqual(report.leaks, []);
    assert.deepEqual(report.problems, []);
    assert.ok(report.faults.length >= 3 && report.served > 100, summary(report));
    assert.ok(Object.values(report.total.refused).length > 0, "the faults were felt");
  });
});
