// npm run soak [-- OPTIONS]: a long run of many agents while the parts of the installation are killed; `--help` says the rest.
import { writeFileSync } from "node:fs";
import { isSkipped, kafka, openbao, redis } from "../support/servers.ts";
import { svgPlot, textPlot } from "./plot.ts";
import { summary } from "./report.ts";
import { parseSoakSettings, type SoakSettings, soakUsage } from "./settings.ts";
import { soak } from "./soak.ts";

const settings = understood(process.argv.slice(2));
process.env.SALLYPORT_PROVISION ??= "1";
const found = [await redis({ own: true }), await kafka({ own: true }), await openbao({ durable: true })] as const;
try {
  const missing = found.filter(isSkipped);
  if (missing.length > 0) throw new Error(missing.map(({ skipped }) => skipped).join("\n"));
  const [ourRedis, ourKafka, ourOpenbao] = found;
  if (isSkipped(ourRedis) || isSkipped(ourKafka) || isSkipped(ourOpenbao)) throw new Error("a server is missing");
  const report = await soak(settings, { redis: ourRedis, kafka: ourKafka, openbao: ourOpenbao }, (text) => console.error(text));
  console.log(`${textPlot(report)}\n\n${summary(report)}`);
  if (settings.svg !== undefined) writeFileSync(settings.svg, svgPlot(report));
  if (settings.json !== undefined) writeFileSync(settings.json, `${JSON.stringify(report, undefined, 2)}\n`);
  process.exitCode = report.problems.length + report.leaks.length === 0 ? 0 : 1;
} catch (error) {
  console.error((error as Error).stack);
  process.exitCode = 1;
} finally {
  for (const server of found) if (!isSkipped(server)) await server.stop();
}
process.exit();

function understood(args: string[]): SoakSettings {
  try {
    const read = parseSoakSettings(args);
    if (read !== "help") return read;
    console.log(soakUsage);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${soakUsage}`);
    process.exit(2);
  }
}
