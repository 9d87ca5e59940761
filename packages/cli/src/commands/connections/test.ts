import { readFileSync } from "node:fs";
import { printable, Refusal } from "@sallyport/contracts";
import { Egress } from "@sallyport/egress";
import type { Config, Store } from "@sallyport/service";
import { Argument, Command } from "commander";
import { type Form, outputOption } from "../../output/form.ts";
import { note, printOne } from "../../output/print.ts";
import { configOption } from "./edit.ts";

/** By the adapters that the broker uses, from this machine and as this user. */
export function testCommand(): Command {
  return new Command("test")
    .description("whether a store serves, or a target can be reached, from here")
    .addArgument(new Argument("<what>").choices(["store", "target"]))
    .argument("<name>")
    .addOption(configOption())
    .addOption(outputOption())
    .action(async (what: "store" | "target", name: string, { config: file, output }: { config: string; output: Form }) => {
      const { loadConfig } = await import("@sallyport/service");
      const config = await loadConfig(file);
      if (!Object.hasOwn(config[`${what}s`], name))
        throw new Refusal("INVALID_REQUEST", `There is no ${what} ${printable(name)} in ${printable(file)}.`);
      const verified = what === "store" ? await isVerified(config.stores[name] as Store) : undefined;
      if (verified === false)
        note("Unverified: this kind of store was never tried against the real service, nor against an emulator of others.");
      await (what === "store" ? testStore(config, name) : testTarget(config, name));
      const columns = { [what]: () => name, ok: () => "yes" };
      printOne(
        output,
        { [what]: name, ok: true, ...(verified === undefined ? {} : { verified }) },
        verified === undefined ? columns : { ...columns, verified: () => (verified ? "yes" : "no") },
      );
    });
}

/** Whether its kind was tried against something that others maintain. */
async function isVerified({ kind }: Store): Promise<boolean> {
  const { unverifiedKinds } = await import("@sallyport/broker/stores");
  return !unverifiedKinds.has(kind);
}

/** @throws Refusal STORE_UNAVAILABLE with what is wrong */
async function testStore({ stores }: Config, name: string): Promise<void> {
  const [{ Stores }, { systemClock }] = await Promise.all([import("@sallyport/broker/stores"), import("@sallyport/service")]);
  const store = stores[name] as Store;
  const opened = await Stores.open({ stores: { [name]: store }, secrets: {} }, systemClock);
  try {
    const health = (await opened.health()).get(name);
    if (health?.ok !== true)
      throw new Refusal("STORE_UNAVAILABLE", `Store ${printable(name)} does not serve: ${printable(health?.why ?? "", 300)}`);
  } finally {
    await opened.close();
  }
}

/** A connection and its TLS; no request is made, as any might have an effect. @throws Refusal TARGET_UNAVAILABLE, DESTINATION_NOT_ALLOWED */
async function testTarget({ targets }: Config, name: string): Promise<void> {
  const target = targets[name] as Config["targets"][string];
  const { hostname, port, protocol } = new URL(target.baseUrl);
  const ca = target.ca === undefined ? {} : { ca: readFileSync(target.ca, "utf8") };
  const tls = protocol === "https:";
  const { upstreamProxyOf } = await import("@sallyport/service");
  const egress = new Egress({
    allow: target.network,
    setting: `targets.${name}.network`,
    ...ca,
    ...upstreamProxyOf(target.via, `targets.${name}.via`),
  });
  (await egress.connect({ host: hostname, port: Number(port) || (tls ? 443 : 80), tls })).destroy();
}
