import { rotateSigningKeys } from "@sallyport/identity";
import { Command } from "commander";
import { withLock } from "../../files/lock.ts";
import { replaceFile } from "../../files/replace-file.ts";
import { seconds } from "../../input/seconds.ts";
import { note } from "../../output/print.ts";
import { configOption, keyFileOf, unusable } from "./key-file.ts";

/** Seconds until a new key signs: readers of the key set keep it for 60 s (its `cache-control`), and as much again for other replicas. */
const defaultSeconds = 120;

/**
 * `sallyport keys rotate`: a new key to sign credentials with, while authn runs. It is published at once and signs later; the old
 * ones verify for as long as a session that holds one of their credentials can live.
 */
export function rotateCommand(): Command {
  return new Command("rotate")
    .description("make a new key to sign credentials with; authn takes it up without a restart")
    .option("--in <seconds>", "until it signs; by then every replica of authn must have the file", seconds(2, 86_400), defaultSeconds)
    .addOption(configOption())
    .action(async ({ config: configFile, in: signsIn }: { config: string; in: number }) => {
      const { config, path } = await keyFileOf(configFile);
      const kid = await withLock(`${path}.lock`, async () => {
        const { text } = await keyFileOf(configFile);
        const next = rotated(path, text, { now: Date.now(), signsIn, keptFor: config.authn.sessionSeconds });
        await replaceFile(path, next.text);
        return next.kid;
      });
      note(`Key ${kid} is published now and signs in ${signsIn} s. Give ${path} to every other replica of authn before that.`);
    });
}

function rotated(path: string, text: string, times: Parameters<typeof rotateSigningKeys>[1]) {
  try {
    return rotateSigningKeys(text, times);
  } catch (cause) {
    throw unusable(path, cause);
  }
}
