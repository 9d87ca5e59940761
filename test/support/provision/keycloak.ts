import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Provision, run } from "./cache.ts";

const version = "26.5.6";
const unpack = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack";

/** What a build settles, so that a start need not build again: nothing is kept, and one node is all there is. */
const buildOptions = ["--db=dev-mem", "--cache=local", "--health-enabled=true"];

/** Keycloak's distribution, built once for starts with `--optimized`. */
export const keycloakHome: Provision = {
  name: `keycloak-${version}`,
  needs: ["mvn", "java"],
  async fill(folder) {
    const unpacked = join(folder, "unpacked");
    const artifact = `-Dartifact=org.keycloak:keycloak-quarkus-dist:${version}:zip`;
    // Without a project Maven leaves its marks where it runs.
    await run("mvn", ["-q", "-B", unpack, artifact, `-DoutputDirectory=${unpacked}`], { cwd: folder });
    const home = join(unpacked, `keycloak-${version}`);
    for (const entry of await readdir(home)) await rename(join(home, entry), join(folder, entry));
    await rm(unpacked, { recursive: true });
    await run("sh", [join(folder, "bin", "kc.sh"), "build", ...buildOptions]);
  },
};
