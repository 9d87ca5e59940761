import { freePort } from "../process/port.ts";
import { motoModules } from "../provision/moto.ts";
import { lacking, obtain } from "../provision/obtain.ts";
import { onPath } from "./on-path.ts";
import { type Finder, type OwnServer, own, type Skipped, theirs } from "./server.ts";

const named = () => process.env.SALLYPORT_TEST_MOTO;

function missing(): string | undefined {
  if (named() !== undefined) return undefined;
  const lacks = onPath("python3") === undefined ? "install Python 3" : lacking(motoModules);
  return lacks === undefined ? undefined : `no moto: ${lacks}, or set SALLYPORT_TEST_MOTO=http://host:port`;
}

/** AWS (Secrets Manager, STS, S3 …) as moto emulates it; `address` is the endpoint of all of its services. */
export const moto: Finder<OwnServer> = Object.assign(
  async (): Promise<OwnServer | Skipped> => {
    const address = named();
    if (address !== undefined) return theirs(address);
    const why = missing();
    if (why !== undefined) return { skipped: why };
    const modules = await obtain(motoModules);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    return own(url, () => ({
      name: "moto",
      command: onPath("python3") as string,
      args: ["-m", "moto.server", "-H", "127.0.0.1", "-p", `${port}`],
      env: { ...process.env, PYTHONPATH: modules, AWS_EC2_METADATA_DISABLED: "true" },
      ready: async () => {
        try {
          return (await fetch(`${url}/moto-api/data.json`, { signal: AbortSignal.timeout(2000) })).ok;
        } catch {
          return false;
        }
      },
    }));
  },
  { missing },
);
