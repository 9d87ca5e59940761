// Preloaded into the services of these tests: every name below .test is this machine, as a hosts file would have it; names below
// away.test are another of its addresses; those below dns.test have a name service that lies as the name says.
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";

const lookup = dns.promises.lookup;
let asked = 0;

function addressesOf(name) {
  const [, v4] = /^([0-9.]+)\.v4\.dns\.test$/.exec(name) ?? [];
  const [, v6] = /^([0-9a-f-]+)\.v6\.dns\.test$/.exec(name) ?? [];
  if (v4 !== undefined) return [v4];
  if (v6 !== undefined) return [v6.replaceAll("-", ":")];
  if (name === "mixed.dns.test") return ["127.0.0.2", "169.254.169.254"];
  if (name === "rebinds.dns.test") return [asked++ % 2 === 0 ? "127.0.0.2" : "169.254.169.254"];
  return [name.endsWith(".away.test") ? "127.0.0.2" : "127.0.0.1"];
}

dns.promises.lookup = async (name, options) =>
  name.endsWith(".test")
    ? addressesOf(name).map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))
    : lookup.call(dns.promises, name, options);
syncBuiltinESMExports();
