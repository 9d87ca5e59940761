import { parseSigningKeys, signerAt } from "@sallyport/identity";
import { Command } from "commander";
import { type Form, outputOption } from "../../output/form.ts";
import { type Columns, printAll } from "../../output/print.ts";
import { configOption, keyFileOf, unusable } from "./key-file.ts";

/** `sallyport keys ls`: which keys sign and verify, from when and until when. Nothing secret is printed. */
export function keysListCommand(): Command {
  return new Command("ls")
    .description("which keys sign credentials, from when and until when they are published")
    .addOption(configOption())
    .addOption(outputOption())
    .action(async ({ config, output }: { config: string; output: Form }) => {
      const { path, text } = await keyFileOf(config);
      printAll(output, keyFacts(path, text), columns, "There are no keys.");
    });
}

function keyFacts(path: string, text: string) {
  const now = Date.now();
  try {
    const signing = parseSigningKeys(text);
    const current = signerAt(signing, now).kid;
    return signing.keys.map(({ kid, signsFrom, publishedUntil }) => ({
      kid,
      state: kid === current ? "signs" : signsFrom * 1000 > now ? "waits" : (publishedUntil ?? Infinity) * 1000 > now ? "verifies" : "over",
      signsFrom: signsFrom === 0 ? "" : timeOf(signsFrom),
      publishedUntil: publishedUntil === undefined ? "" : timeOf(publishedUntil),
    }));
  } catch (cause) {
    throw unusable(path, cause);
  }
}

const timeOf = (seconds: number) => new Date(seconds * 1000).toISOString();

const columns: Columns<ReturnType<typeof keyFacts>[number]> = {
  kid: ({ kid }) => kid,
  state: ({ state }) => state,
  "signs from": ({ signsFrom }) => signsFrom,
  "published until": ({ publishedUntil }) => publishedUntil,
};
