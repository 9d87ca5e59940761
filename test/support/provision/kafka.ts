import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Provision, run } from "./cache.ts";

const version = "4.3.1";

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sallyport.test</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;

/** The jars of Kafka's broker, in `libs`. */
export const kafkaJars: Provision = {
  name: `kafka-${version}`,
  needs: ["mvn", "java"],
  async fill(folder) {
    await writeFile(join(folder, "pom.xml"), pom);
    await run("mvn", ["-q", "-B", "dependency:copy-dependencies", `-DoutputDirectory=${join(folder, "libs")}`], { cwd: folder });
  },
};
