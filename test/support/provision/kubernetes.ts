import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Provision, run } from "./cache.ts";

const version = "7.9.0";

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sallyport.test</groupId>
  <artifactId>kubernetes</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>io.fabric8</groupId><artifactId>kubernetes-server-mock</artifactId><version>${version}</version></dependency>
    <dependency><groupId>io.fabric8</groupId><artifactId>kubernetes-client</artifactId><version>${version}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;

/** fabric8's emulator of the Kubernetes API, which others maintain: jars in `libs`, and the class `KubernetesApi` that serves it. */
export const kubernetesJars: Provision = {
  name: `kubernetes-${version}`,
  needs: ["mvn", "java", "javac"],
  async fill(folder) {
    await writeFile(join(folder, "pom.xml"), pom);
    const libs = join(folder, "libs");
    await run("mvn", ["-q", "-B", "dependency:copy-dependencies", `-DoutputDirectory=${libs}`], { cwd: folder });
    const source = join(import.meta.dirname, "KubernetesApi.java");
    await run("javac", ["-cp", join(libs, "*"), "-d", folder, source]);
  },
};
