import { delimiter, join } from "node:path";
import { dial, freePort } from "../process/port.ts";
import { kubernetesJars } from "../provision/kubernetes.ts";
import { lacking, obtain } from "../provision/obtain.ts";
import { onPath } from "./on-path.ts";
import { type Finder, type OwnServer, own, type Skipped } from "./server.ts";

function missing(): string | undefined {
  const lacks = onPath("java") === undefined ? "install Java 17 or newer" : lacking(kubernetesJars);
  return lacks === undefined ? undefined : `no Kubernetes API: ${lacks}`;
}

/** The Kubernetes API as fabric8 emulates it, in memory; `address` is its base URL. It looks at no token. */
export const kubernetes: Finder<OwnServer> = Object.assign(
  async (): Promise<OwnServer | Skipped> => {
    const why = missing();
    if (why !== undefined) return { skipped: why };
    const folder = await obtain(kubernetesJars);
    const port = await freePort();
    return own(`http://127.0.0.1:${port}`, () => ({
      name: "Kubernetes API",
      command: onPath("java") as string,
      args: [
        "-Xmx128m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        [folder, join(folder, "libs", "*")].join(delimiter),
        "KubernetesApi",
        `${port}`,
      ],
      ready: async () => {
        const socket = await dial(port);
        socket?.destroy();
        return socket !== undefined;
      },
    }));
  },
  { missing },
);
