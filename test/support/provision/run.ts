/** Downloads every server that the tests can use: `node test/support/provision/run.ts`. */
import { provision } from "./cache.ts";
import { kafkaJars } from "./kafka.ts";
import { keycloakHome } from "./keycloak.ts";
import { kubernetesJars } from "./kubernetes.ts";
import { motoModules } from "./moto.ts";
import { openbaoBinary } from "./openbao.ts";

const results = await Promise.allSettled([kafkaJars, openbaoBinary, motoModules, kubernetesJars, keycloakHome].map(provision));
for (const result of results) console.log(result.status === "fulfilled" ? `provisioned ${result.value}` : `FAILED ${result.reason}`);
if (results.some(({ status }) => status === "rejected")) process.exit(1);
