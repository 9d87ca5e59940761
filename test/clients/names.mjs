// Preloaded into the services of these tests: every name below .test is this machine, as a hosts file would have it; names below
// away.test are another of its addresses.
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";

const lookup = dns.promises.lookup;
dns.promises.lookup = async (name, options) =>
  name.endsWith(".test")
    ? [{ address: name.endsWith(".away.test") ? "127.0.0.2" : "127.0.0.1", family: 4 }]
    : lookup.call(dns.promises, name, options);
syncBuiltinESMExports();
