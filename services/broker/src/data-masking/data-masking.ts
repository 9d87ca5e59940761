import { hkdfSync } from "node:crypto";
import type { Config } from "@sallyport/service";
import { TargetData } from "./target-data.ts";

/** The data-masking rules of those targets that have any. */
export type DataMasking = ReadonlyMap<string, TargetData>;

/**
 * Compiles them. Detectors bring numbering plans and bank formats along, so they are loaded only where a target has rules.
 *
 * @param brokerKey 32 random bytes, the same for every broker of the installation
 */
export async function loadDataMasking(
  { targets, dataMasking }: Pick<Config, "targets" | "dataMasking">,
  brokerKey: Uint8Array,
): Promise<DataMasking> {
  const settings = Object.entries(targets).flatMap(([name, target]) =>
    target.dataMasking === undefined ? [] : [[name, target.dataMasking] as const],
  );
  if (settings.length === 0) return new Map();
  const detect = await import("@sallyport/masking/detect");
  const key = Buffer.from(hkdfSync("sha256", brokerKey, new Uint8Array(), "sallyport data hash v1", 32));
  const rulesOf = (sets: readonly string[]) => detect.compileRules(sets.flatMap((set) => dataMasking[set] ?? []));
  return new Map(settings.map(([name, target]) => [name, new TargetData(name, target, rulesOf, detect, key)]));
}
